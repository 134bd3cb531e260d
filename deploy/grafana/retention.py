"""The dashboard Retention: who is leaving, by grade, stage and cause; what is at stake; warnings and their verdicts."""

from deploy.grafana.boards import Board, Chosen
from deploy.grafana.panels import Panel, Row, Said, some


def _mean(total: str, count: str, summed: str = "sum") -> str:
    """One over the other, of what came within the time shown; of all that is told where nothing came."""
    came = f"{summed} (increase({total}[$__range])) / ({summed} (increase({count}[$__range])) > 0)"
    return f"{came} or {summed} ({total}) / ({summed} ({count}) > 0)"


CUSTOMERS = Row(
    Said("Who is there, and what they are worth", "客户与价值"),
    (
        Panel(
            "stat",
            Said("Customers in trade", "在交易客户"),
            Said(
                "First-time, repeat and loyal customers, as of each one's last look.",
                "初次购买、重复购买和忠诚客户数，以最近一次检查为准。",
            ),
            (('sum(streamproc_customers{job="$job", stage=~"first_time|repeat|loyal"})', ""),),
            width=4,
            link="/",
        ),
        Panel(
            "stat",
            Said("Customer equity", "顾客资产"),
            Said("The sum of all lifetime values, in the reporting currency.", "全部客户终身价值之和，按报告货币计。"),
            (('sum by (currency) (streamproc_customer_equity{job="$job"})', "{{currency}}"),),
            width=5,
        ),
        Panel(
            "stat",
            Said("Value at risk", "风险价值"),
            Said(
                "Expected loss over all open warnings, in the reporting currency.",
                "所有未结预警的预期损失之和，按报告货币计。",
            ),
            (('sum by (currency) (streamproc_value_at_risk{job="$job"})', "{{currency}}"),),
            width=5,
            link="/",
        ),
        Panel(
            "stat",
            Said("Share at risk", "风险占比"),
            Said("Value at risk over customer equity.", "风险价值占顾客资产的比例。"),
            (('sum(streamproc_value_at_risk{job="$job"}) / sum(streamproc_customer_equity{job="$job"})', ""),),
            "percentunit",
            5,
            bad_from=0.05,
            grave_from=0.15,
        ),
        Panel(
            "stat",
            Said("Unhappy and silent", "不满意但不抱怨"),
            Said(
                "Customers whose satisfaction falls or whose contacts stay unresolved, and who do not complain.",
                "满意度下降或问题未解决、却不投诉的客户。",
            ),
            (('sum(streamproc_unhappy_customers{job="$job"})', ""),),
            width=5,
            bad_from=1,
        ),
        Panel(
            "areas",
            Said("Customers by stage", "各阶段客户数"),
            Said("Where customers stand in the lifecycle.", "客户在流转各阶段的分布。"),
            (('sum by (stage) (streamproc_customers{job="$job"})', "{{stage}}"),),
            width=6,
            names=("stage",),
        ),
        Panel(
            "areas",
            Said("Customers by grade", "各等级客户数"),
            Said(
                "Value grades by contribution of the last year; A is the top fifth.",
                "按近一年贡献划分的价值等级，A 为前 20%。",
            ),
            (('sum by (grade) (streamproc_graded_customers{job="$job", grade=~"$grade"})', "{{grade}}"),),
            width=6,
        ),
        Panel(
            "areas",
            Said("Customers by segment", "各类别客户数"),
            Said(
                "The five segments by impact and strategic meaning; bleeding ones cost more than they bring.",
                "按影响与战略意义划分的五类客户；出血型的成本高于收益。",
            ),
            (('sum by (segment) (streamproc_segmented_customers{job="$job"})', "{{segment}}"),),
            width=6,
            names=("segment",),
        ),
        Panel(
            "lines",
            Said("Value at risk over time", "风险价值走势"),
            Said("Expected loss over open warnings.", "未结预警的预期损失随时间变化。"),
            (('sum by (currency) (streamproc_value_at_risk{job="$job"})', "{{currency}}"),),
            width=6,
        ),
    ),
)

LEAVING = Row(
    Said("Who leaves, and why", "谁在流失，为何流失"),
    (
        Panel(
            "lines",
            Said("Lost in 30 days, by grade", "30 天流失数（按等级）"),
            Said(
                "Customers lost within the last 30 days by the grade they had. More of A and B than usual is the grave "
                "sign.",
                "近 30 天流失客户数，按其原等级。A、B 级超出常态即为严重警讯。",
            ),
            (
                (
                    'sum by (grade) (increase(streamproc:lost_customers:max{job="$job", grade=~"$grade"}[30d]))',
                    "{{grade}}",
                ),
            ),
            width=8,
        ),
        Panel(
            "bars",
            Said("Lost in 24 months, by likely cause", "24 个月流失原因"),
            Said(
                "The likeliest cause of each loss, from the customer's and the firm's own facts; unknown is an answer.",
                "根据客户与企业事实推断的最可能流失原因；未知也是答案。",
            ),
            (('sort_desc(sum by (cause) (streamproc_losses{job="$job", grade=~"$grade|unknown"}))', "{{cause}}"),),
            width=8,
            names=("cause", "rest"),
        ),
        Panel(
            "bars",
            Said("Lost in 24 months, by segment", "24 个月流失客户分类"),
            Said("Segment of the lost before they left.", "流失客户离开前所属类别。"),
            (('sort_desc(sum by (segment) (streamproc_losses{job="$job", grade=~"$grade|unknown"}))', "{{segment}}"),),
            width=8,
            names=("segment", "rest"),
        ),
        Panel(
            "lines",
            Said("Moves in the lifecycle", "客户流转"),
            Said("Moves a day, by where they lead.", "每日流转次数，按去向。"),
            (('sum by (after) (increase(streamproc_transitions_total{job="$job"}[1d]))', "{{after}}"),),
            width=8,
            names=("stage",),
        ),
        Panel(
            "bars",
            Said("Open alerts", "未结警报"),
            Said(
                "What those who run the shop should see: churn outside its band, complaint surges, broken promises.",
                "经营者应关注的警报：流失率异常、投诉激增、承诺逾期等。",
            ),
            ((some("kind", 'sum by (kind) (streamproc_open_alerts{job="$job"})'), "{{kind}}"),),
            width=8,
            names=("alert", "rest"),
            link="/",
        ),
        Panel(
            "lines",
            Said("Satisfaction", "满意度"),
            Said(
                "Perceived over expected in a year's answers; 1 is as expected.",
                "一年内评价的感知值与期望值之比，1 表示符合期望。",
            ),
            (
                (
                    (
                        'sum(streamproc_satisfaction_perceived{job="$job"})'
                        ' / (sum(streamproc_satisfaction_expected{job="$job"}) > 0)'
                    ),
                    "",
                ),
            ),
            "percentunit",
            8,
        ),
    ),
)

COMPLAINTS = Row(
    Said("Complaints", "投诉"),
    (
        Panel(
            "bars",
            Said("Open complaints, by category", "未结投诉（按类别）"),
            Said("Complaints that somebody owes an answer.", "尚待答复的投诉。"),
            (('sum by (category) (streamproc_open_complaints{job="$job"})', "{{category}}"),),
            width=8,
            names=("cause", "rest"),
        ),
        Panel(
            "lines",
            Said("Complaints a day", "每日投诉"),
            Said("Complaints opened within a day, by category.", "每天新增投诉，按类别。"),
            (
                (
                    some(
                        "category",
                        "sum by (category)"
                        ' (increase(streamproc_complaint_steps_total{job="$job", status="opened"}[1d]))',
                    ),
                    "{{category}}",
                ),
            ),
            width=8,
            names=("cause", "rest"),
        ),
        Panel(
            "bars",
            Said("Mean time to answer", "平均答复时间"),
            Said(
                "From the opening of a complaint to its acknowledgement and to its resolution, within the time shown; "
                "where there were none, over all that is known.",
                "所选时间内投诉从提出到受理、到解决的平均时间；若无，则按全部已知数据计算。",
            ),
            (
                (
                    _mean(
                        'streamproc_complaint_answer_seconds_sum{job="$job"}',
                        'streamproc_complaint_answer_seconds_count{job="$job"}',
                        "sum by (status)",
                    ),
                    "{{status}}",
                ),
            ),
            "s",
            8,
            names=("complaint status",),
        ),
    ),
)

WARNINGS = Row(
    Said("Warnings and their verdicts", "预警及其验证"),
    (
        Panel(
            "stat",
            Said("Open warnings", "未结预警"),
            Said("Customers with an open warning.", "有未结预警的客户数。"),
            (('sum(streamproc_warned_customers{job="$job"})', ""),),
            width=4,
            link="/",
        ),
        Panel(
            "stat",
            Said("Precision", "准确率"),
            Said(
                "Of the warnings judged within the time shown, the share whose customer bought nothing by the by-when; "
                "of all that is known where there were none.",
                "所选时间内验证的预警中，客户到期确未购买的比例；若无，则按全部已知数据计算。",
            ),
            (
                (
                    _mean(
                        'streamproc_verdicts_total{job="$job", verdict="right"}',
                        'streamproc_verdicts_total{job="$job"}',
                    ),
                    "",
                ),
            ),
            "percentunit",
            4,
            link="/record",
        ),
        Panel(
            "stat",
            Said("Lead time", "提前量"),
            Said(
                "Mean time from the raising of a warning to the loss of its customer, of losses within the time shown; "
                "of all that are known where there were none.",
                "所选时间内从发出预警到客户流失的平均时间；若无，则按全部已知数据计算。",
            ),
            (
                (
                    _mean(
                        'streamproc_warning_lead_seconds_sum{job="$job"}',
                        'streamproc_warning_lead_seconds_count{job="$job"}',
                    ),
                    "",
                ),
            ),
            "s",
            4,
            link="/record",
        ),
        Panel(
            "stat",
            Said("Nobody answered, 7 days", "7 天无人处理"),
            Said("Warnings that were due and that nobody had taken on.", "到期仍无人认领的预警数。"),
            (('sum(increase(streamproc_desk_steps_total{job="$job", action="overdue"}[7d]))', ""),),
            width=4,
            bad_from=1,
            grave_from=20,
        ),
        Panel(
            "stat",
            Said("Won back", "挽回客户"),
            Said("Lost customers who bought again, within the time shown.", "所选时间内流失后再次购买的客户数。"),
            (('sum(increase(streamproc_won_back_customers_total{job="$job"}[$__range]))', ""),),
            width=4,
        ),
        Panel(
            "stat",
            Said("Service warnings", "服务预警"),
            Said(
                "Warnings of unhappy and silent customers, within the time shown.",
                "所选时间内针对不满意但沉默客户的预警数。",
            ),
            (('sum(increase(streamproc_service_warnings_total{job="$job"}[$__range]))', ""),),
            width=4,
        ),
        Panel(
            "bars",
            Said("Open, by severity", "未结预警（按严重程度）"),
            Said(
                "Open warnings of leaving and of unhappy customers, by severity.",
                "未结的流失预警和服务预警，按严重程度。",
            ),
            (('sum by (severity) (streamproc_open_warnings{job="$job"})', "{{severity}}"),),
            width=6,
            names=("severity",),
            link="/",
        ),
        Panel(
            "bars",
            Said("Raised, by severity", "预警严重程度"),
            Said(
                "Warnings raised within the time shown, by severity at the time.",
                "所选时间内的预警，按发出时的严重程度。",
            ),
            (('sum by (severity) (increase(streamproc_raised_warnings_total{job="$job"}[$__range]))', "{{severity}}"),),
            width=6,
            names=("severity",),
        ),
        Panel(
            "bars",
            Said("Raised, by likely cause", "预警原因"),
            Said(
                "Warnings raised within the time shown, by the likeliest cause at the time.",
                "所选时间内的预警，按当时最可能的原因。",
            ),
            (
                (
                    some("cause", 'sum by (cause) (increase(streamproc_warning_causes_total{job="$job"}[$__range]))'),
                    "{{cause}}",
                ),
            ),
            width=6,
            names=("cause", "rest"),
        ),
        Panel(
            "lines",
            Said("What became of warnings, a day", "每日预警变化"),
            Said(
                "Warnings raised, escalated, recovered, lost, withdrawn within a day.",
                "每天发出、升级、挽回、流失、撤回的预警数。",
            ),
            (('sum by (change) (increase(streamproc_warning_changes_total{job="$job"}[1d]))', "{{change}}"),),
            width=6,
            names=("state",),
        ),
    ),
)

RETENTION = Board(
    "retention",
    Said("Retention", "客户挽留"),
    Said(
        "Who is leaving, by grade, stage and cause; what is at stake; warnings and whether they were right.",
        "谁在流失（按等级、阶段、原因），涉及多少价值，预警是否准确。",
    ),
    "now-30d",
    (CUSTOMERS, LEAVING, COMPLAINTS, WARNINGS),
    (Chosen("grade", Said("Grade", "等级"), "streamproc_graded_customers"),),
)
