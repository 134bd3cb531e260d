"""The dashboard Model: whether it can be trusted."""

from deploy.grafana.boards import Board
from deploy.grafana.panels import Panel, Row, Said

TRUST = Row(
    Said("Can it be trusted?", "模型可信吗"),
    (
        Panel(
            "name",
            Said("In force", "当前模型"),
            Said("The snapshot that scores, by its id and by what it rests on.", "当前用于评分的模型快照及其依据。"),
            (('count by (snapshot, speaks) (streamproc_model_info{job="$job"})', "{{snapshot}} ({{speaks}})"),),
            width=6,
        ),
        Panel(
            "stat",
            Said("Age", "模型龄"),
            Said(
                "How long before the program's time the snapshot was made; a new one comes about every week.",
                "模型快照距程序时间多久；约每周更新一次。",
            ),
            (
                (
                    (
                        'max(streamproc_clock_timestamp_seconds{job="$job"})'
                        ' - max(streamproc_model_created_timestamp_seconds{job="$job"})'
                    ),
                    "",
                ),
            ),
            "s",
            4,
            bad_from=1_209_600,
            grave_from=1_814_400,
        ),
        Panel(
            "stat",
            Said("Calibration error", "校准误差"),
            Said("Mean distance between predicted risk and the share that left.", "预测概率与实际流失比例的平均差距。"),
            (('max(streamproc_model_calibration_error{job="$job", model="ours"})', ""),),
            "percentunit",
            4,
            bad_from=0.05,
            grave_from=0.1,
        ),
        Panel(
            "stat",
            Said("Ahead of the challenger", "领先对照模型"),
            Said(
                "By how much our log-loss is below a plain model's on the same outcomes; below 0 it is behind.",
                "在相同结果上，当前模型对数损失低于简单模型的幅度；为负表示落后。",
            ),
            (
                (
                    (
                        'max(streamproc_model_log_loss{job="$job", model="challenger"})'
                        ' - max(streamproc_model_log_loss{job="$job", model="ours"})'
                    ),
                    "",
                ),
            ),
            width=4,
        ),
        Panel(
            "stat",
            Said("Judged examples", "已验证样本"),
            Said(
                "Examples that these figures are over; below 500 they say little.",
                "上述指标所依据的样本数；少于 500 时意义有限。",
            ),
            (('max(streamproc_model_judged_examples{job="$job"})', ""),),
            width=3,
        ),
        Panel(
            "stat",
            Said("Refused", "被拒模型"),
            Said(
                "Snapshots that were not finite or worse than the one in force, ever.",
                "因异常或更差而被拒绝的模型快照总数。",
            ),
            (('max(streamproc_refused_snapshots_total{job="$job"})', ""),),
            width=3,
            bad_from=1,
        ),
    ),
)

FIGURES = Row(
    Said("Ours beside a plain model", "与简单模型对照"),
    (
        Panel(
            "lines",
            Said("Log-loss", "对数损失"),
            Said(
                "Over the newest judged examples, in nats; lower is better.", "基于最新验证样本，单位奈特，越低越好。"
            ),
            (('max by (model) (streamproc_model_log_loss{job="$job"})', "{{model}}"),),
            width=8,
            names=("model",),
            from_zero=False,
        ),
        Panel(
            "lines",
            Said("AUC", "AUC"),
            Said("How well leavers are put before stayers; 0.5 is chance.", "区分流失与留存客户的能力，0.5 为随机。"),
            (('max by (model) (streamproc_model_auc{job="$job"})', "{{model}}"),),
            width=8,
            names=("model",),
            from_zero=False,
        ),
        Panel(
            "lines",
            Said("Brier score", "Brier 分数"),
            Said(
                "Mean squared distance of the risk from what happened; lower is better.",
                "预测概率与结果的均方差，越低越好。",
            ),
            (('max by (model) (streamproc_model_brier_score{job="$job"})', "{{model}}"),),
            width=8,
            names=("model",),
            from_zero=False,
        ),
        Panel(
            "lines",
            Said("Calibration error over time", "校准误差走势"),
            Said("Mean distance between predicted and actual, by model.", "各模型预测与实际的平均差距。"),
            (('max by (model) (streamproc_model_calibration_error{job="$job"})', "{{model}}"),),
            "percentunit",
            8,
            ("model",),
        ),
        Panel(
            "lines",
            Said("Base rate", "基础流失率"),
            Said(
                "Share of the newest judged examples that left: where it moves, the level of all risks has to.",
                "最新验证样本中的流失比例；它变动时，整体风险水平也应随之变动。",
            ),
            (('max(streamproc_model_base_rate{job="$job"})', ""),),
            "percentunit",
            8,
        ),
        Panel(
            "bars",
            Said("Drifts", "漂移"),
            Said(
                "How often the mean of a watched figure has shifted over the examples kept.",
                "所监测指标均值发生漂移的次数。",
            ),
            (('max by (watched) (streamproc_model_drifts{job="$job"})', "{{watched}}"),),
            width=8,
            names=("watched",),
        ),
    ),
)

VERDICTS = Row(
    Said("What came true", "预警验证"),
    (
        Panel(
            "bars",
            Said("Verdicts", "验证结果"),
            Said(
                "Warnings judged at their by-when within the time shown: right is a customer who bought nothing.",
                "所选时间内到期验证的预警：准确指客户确未购买。",
            ),
            (('sum by (verdict) (increase(streamproc_verdicts_total{job="$job"}[$__range]))', "{{verdict}}"),),
            width=8,
            names=("verdict",),
            link="/record",
        ),
        Panel(
            "lines",
            Said("Precision in 30 days", "30 天准确率"),
            Said(
                "Of the verdicts within 30 days, the share that was right; of all verdicts where there were none.",
                "近 30 天验证中准确的比例；若无，则按全部验证计算。",
            ),
            (
                (
                    (
                        'sum(increase(streamproc_verdicts_total{job="$job", verdict="right"}[30d]))'
                        ' / (sum(increase(streamproc_verdicts_total{job="$job"}[30d])) > 0)'
                        ' or sum(streamproc_verdicts_total{job="$job", verdict="right"})'
                        ' / (sum(streamproc_verdicts_total{job="$job"}) > 0)'
                    ),
                    "",
                ),
            ),
            "percentunit",
            8,
        ),
        Panel(
            "bars",
            Said("Why nobody was warned of", "未发出预警的原因"),
            Said(
                "Looks within the time shown by outcome, but for customers who are lost or have not bought.",
                "所选时间内的检查结果（不含已流失和未购买客户）。",
            ),
            (
                (
                    (
                        "sort_desc(sum by (outcome) (increase("
                        'streamproc_looks_total{job="$job", outcome!~"already_lost|no_purchase_yet"}[$__range])) > 0'
                        ' or label_replace(vector(0), "outcome", "none", "", ""))'
                    ),
                    "{{outcome}}",
                ),
            ),
            width=8,
            names=("outcome", "rest"),
        ),
    ),
)

MODEL = Board(
    "model",
    Said("Model", "模型"),
    Said(
        "Can the model be trusted: ours beside a plain one, calibration, drift, verdicts.",
        "模型是否可信：与简单模型对照、校准、漂移、验证结果。",
    ),
    "now-30d",
    (TRUST, FIGURES, VERDICTS),
)
