"""The dashboard Pipeline: is every feed flowing, lag, dead letters, recovery, resources."""

from deploy.grafana.boards import Board, Chosen
from deploy.grafana.panels import Panel, Row, Said, some

NOW = Row(
    Said("Is all well?", "是否正常"),
    (
        Panel(
            "stat",
            Said("Processes that answer", "在线进程"),
            Said(
                "Workers, the page, or the one process of a run, as Prometheus reaches them.",
                "Prometheus 可访问的进程数。",
            ),
            (('sum(up{job="$job"})', ""),),
            width=4,
        ),
        Panel(
            "stat",
            Said("Processes that do not", "离线进程"),
            Said("Targets that did not answer the last scrape.", "最近一次抓取无应答的目标数。"),
            (('count(up{job="$job"} == 0) or vector(0)', ""),),
            width=4,
            bad_from=1,
            grave_from=1,
        ),
        Panel(
            "stat",
            Said("Time behind the wall", "时间滞后"),
            Said(
                "How far the program's time is behind the wall's; 0 where it reads a past.",
                "程序时间落后于真实时间的程度；读取历史时为 0。",
            ),
            (('max(streamproc_behind_seconds{job="$job"})', ""),),
            "s",
            4,
            bad_from=60,
            grave_from=900,
        ),
        Panel(
            "stat",
            Said("The program's time", "程序时间"),
            Said("The last tick: nothing after it was looked at.", "最近一次时钟刻度，其后的事件尚未处理。"),
            (('max(streamproc_clock_timestamp_seconds{job="$job"}) * 1000', ""),),
            "dateTimeAsIso",
            6,
        ),
        Panel(
            "stat",
            Said("Refused in an hour", "一小时拒收"),
            Said("Records that went to the dead letters within an hour.", "一小时内进入死信的记录数。"),
            (('sum(increase(streamproc_refused_total{job="$job"}[1h]))', ""),),
            width=3,
            bad_from=1,
            grave_from=100,
        ),
        Panel(
            "name",
            Said("Version", "版本"),
            Said(
                "The versions that run; two of them only during an upgrade.", "正在运行的版本；仅升级期间会出现两个。"
            ),
            (('count by (version) (streamproc_build_info{job="$job"})', "{{version}}"),),
            width=3,
        ),
    ),
)

FEEDS = Row(
    Said("Feeds", "数据源"),
    (
        Panel(
            "areas",
            Said("Events a second", "每秒事件"),
            Said("New events taken into the journal, by stream.", "写入日志的新事件，按类型。"),
            (('sum by (stream) (rate(streamproc_events_total{job="$job"}[$__rate_interval]))', "{{stream}}"),),
            "eps",
            8,
            ("counted",),
        ),
        Panel(
            "lines",
            Said("Age of the newest event", "最新事件距今"),
            Said(
                "How long before the program's time each feed's newest event lies; one that only grows is dead.",
                "各数据源最新事件距程序时间多久；只增不减说明数据源中断。",
            ),
            (('max by (feed) (streamproc_feed_age_seconds{job="$job"})', "{{feed}}"),),
            "s",
            8,
            names=("feed", "counted"),
        ),
        Panel(
            "areas",
            Said("Refused, by reason", "拒收原因"),
            Said("Records sent to the dead letters within an hour, by reason.", "一小时内进入死信的记录，按原因。"),
            ((some("reason", 'sum by (reason) (increase(streamproc_refused_total{job="$job"}[1h]))'), "{{reason}}"),),
            width=8,
            names=("refusal", "rest"),
        ),
        Panel(
            "lines",
            Said("Late, or told before", "迟到与重复事件"),
            Said(
                "Events within an hour that came after their tick, and such as told nothing new; those too late change "
                "no label.",
                "一小时内晚于时钟刻度到达的事件，以及没有新内容的重复事件；过迟的不再影响标签。",
            ),
            (
                ('sum by (kind) (increase(streamproc_late_events_total{job="$job"}[1h]))', "{{kind}}"),
                ('sum(increase(streamproc_repeated_events_total{job="$job"}[1h]))', "repeated"),
            ),
            width=8,
            names=("late",),
        ),
        Panel(
            "lines",
            Said("What holds time", "时间受阻"),
            Said(
                "By how much each source of a cluster that is not read to its end holds time back.",
                "集群中尚未读完的数据源使时间滞后的程度。",
            ),
            (('topk(8, streamproc_source_holds_seconds{job="$job"})', "{{topic}}/{{partition}}"),),
            "s",
            8,
            teller="worker",
        ),
        Panel(
            "lines",
            Said("Waiting for the writer", "等待写入"),
            Said(
                "Requests and batches in a run's inbox; at its bound, senders are told to wait.",
                "单机运行收件队列中的请求和批次。",
            ),
            (('max(streamproc_inbox_requests{job="$job"})', ""),),
            width=8,
            teller="run",
        ),
    ),
)

WORK = Row(
    Said("Work", "处理"),
    (
        Panel(
            "lines",
            Said("Lag", "积压"),
            Said("Committed records that an app of a cluster has not processed.", "集群各应用尚未处理的记录数。"),
            (('sum by (app) (streamproc_lag_records{job="$job"})', "{{app}}"),),
            width=8,
            teller="worker",
        ),
        Panel(
            "lines",
            Said("Seconds of a batch", "批处理耗时"),
            Said(
                "From the begin of a batch to its commit: the median and the 99th percentile.",
                "批处理从开始到提交的时间：中位数与第 99 百分位。",
            ),
            (
                (
                    (
                        "histogram_quantile(0.5, sum by (app, le)"
                        ' (rate(streamproc_batch_duration_seconds_bucket{job="$job"}[$__rate_interval])))'
                    ),
                    "{{app}} p50",
                ),
                (
                    (
                        "histogram_quantile(0.99, sum by (app, le)"
                        ' (rate(streamproc_batch_duration_seconds_bucket{job="$job"}[$__rate_interval])))'
                    ),
                    "{{app}} p99",
                ),
            ),
            "s",
            8,
        ),
        Panel(
            "lines",
            Said("Seconds of a transaction", "事务耗时"),
            Said(
                "SQLite's commit, or Kafka's transaction: the 99th percentile.",
                "SQLite 提交或 Kafka 事务的第 99 百分位时间。",
            ),
            (
                (
                    (
                        "histogram_quantile(0.99, sum by (app, le)"
                        ' (rate(streamproc_transaction_duration_seconds_bucket{job="$job"}[$__rate_interval])))'
                    ),
                    "{{app}}",
                ),
            ),
            "s",
            8,
        ),
        Panel(
            "areas",
            Said("Looks, by outcome", "检查结果"),
            Said(
                "Every look at a customer ends in exactly one outcome; looks a second.",
                "每次检查客户只有一个结果；每秒次数。",
            ),
            (
                (
                    some("outcome", 'sum by (outcome) (rate(streamproc_looks_total{job="$job"}[$__rate_interval]))'),
                    "{{outcome}}",
                ),
            ),
            "ops",
            6,
            names=("outcome", "rest"),
        ),
        Panel(
            "lines",
            Said("Due and not looked at", "待检查客户"),
            Said("Customers whose look is due and has not come yet.", "已到期、尚未检查的客户数。"),
            (('sum(streamproc_due_customers{job="$job"})', ""),),
            width=6,
        ),
        Panel(
            "lines",
            Said("Open ticks", "未完成的时钟刻度"),
            Said("Ticks of a cluster that not every partition has answered.", "集群中尚有分区未完成的时钟刻度数。"),
            (('max(streamproc_open_ticks{job="$job"})', ""),),
            width=6,
            teller="worker",
        ),
        Panel(
            "lines",
            Said("Recovery", "恢复"),
            Said(
                "Mean seconds that reading back new partitions took, and rebalances within an hour.",
                "读回新分区状态的平均秒数，以及一小时内的再均衡次数。",
            ),
            (
                (
                    (
                        'sum by (app) (streamproc_recovery_duration_seconds_sum{job="$job"})'
                        ' / (sum by (app) (streamproc_recovery_duration_seconds_count{job="$job"}) > 0)'
                    ),
                    "{{app}} s",
                ),
                ('sum by (app) (increase(streamproc_rebalances_total{job="$job"}[1h]))', "{{app}} rebalances"),
            ),
            width=6,
            teller="worker",
        ),
    ),
)

FEED = Row(
    Said("The feed in Redis, and the page", "Redis 预警流与页面"),
    (
        Panel(
            "stat",
            Said("Redis takes lines", "Redis 可写"),
            Said("1 while a cluster's Redis takes the feed's lines.", "集群的 Redis 可写入时为 1。"),
            (('max(streamproc_redis_up{job="$job"})', ""),),
            width=6,
            teller="worker",
        ),
        Panel(
            "stat",
            Said("Redis writes down", "Redis 持久化"),
            Said("1 while Redis writes its append-only file.", "Redis 正常写入追加文件时为 1。"),
            (('min(streamproc_redis_append_only{job="$job"})', ""),),
            width=6,
            teller="worker",
        ),
        Panel(
            "stat",
            Said("Not in Redis yet", "待写入 Redis"),
            Said("Records of the warnings topic that Redis does not have.", "预警主题中尚未写入 Redis 的记录数。"),
            (('max(streamproc_feed_lag_records{job="$job"})', ""),),
            width=6,
            bad_from=1,
            grave_from=1000,
            teller="worker",
        ),
        Panel(
            "stat",
            Said("Open streams", "在线订阅"),
            Said("Browsers and programs that follow the feed.", "正在订阅预警流的浏览器和程序数。"),
            (('sum(streamproc_http_streams{job="$job"})', ""),),
            width=6,
            link="/",
        ),
        Panel(
            "lines",
            Said("Requests a second", "每秒请求"),
            Said("Answers of the page and the interface, by status.", "页面与接口的应答，按状态码。"),
            (('sum by (status) (rate(streamproc_http_requests_total{job="$job"}[$__rate_interval]))', "{{status}}"),),
            "reqps",
            12,
        ),
        Panel(
            "lines",
            Said("Seconds of an answer", "应答时间"),
            Said("From a request to its answer, by route: the 95th percentile.", "各路由应答时间的第 95 百分位。"),
            (
                (
                    (
                        "histogram_quantile(0.95, sum by (route, le)"
                        ' (rate(streamproc_http_request_duration_seconds_bucket{job="$job"}[$__rate_interval])))'
                    ),
                    "{{route}}",
                ),
            ),
            "s",
            12,
        ),
    ),
)

RESOURCES = Row(
    Said("Resources", "资源"),
    (
        Panel(
            "lines",
            Said("Processor", "处理器"),
            Said("Cores used by each process.", "各进程占用的核数。"),
            (('rate(process_cpu_seconds_total{job="$job", instance=~"$instance"}[$__rate_interval])', "{{instance}}"),),
            width=6,
        ),
        Panel(
            "lines",
            Said("Memory", "内存"),
            Said("Resident memory of each process.", "各进程的常驻内存。"),
            (('process_resident_memory_bytes{job="$job", instance=~"$instance"}', "{{instance}}"),),
            "bytes",
            6,
        ),
        Panel(
            "lines",
            Said("Bytes on disk", "磁盘占用"),
            Said("A run's database, its log, and what is free beside them.", "单机运行的数据库、日志及剩余空间。"),
            (
                ('sum by (file) (streamproc_data_bytes{job="$job"})', "{{file}}"),
                ('min(streamproc_disk_free_bytes{job="$job"})', "free"),
            ),
            "bytes",
            6,
            names=("file",),
            teller="run",
        ),
        Panel(
            "lines",
            Said("Customers kept", "在册客户"),
            Said(
                "Customers whose state is kept, by process; of a cluster, its partitions'.", "各进程保存状态的客户数。"
            ),
            (('sum by (instance) (streamproc_kept_customers{job="$job", instance=~"$instance"})', "{{instance}}"),),
            width=6,
        ),
        Panel(
            "lines",
            Said("Bytes of a customer's state", "单个客户状态大小"),
            Said("Mean size of an encoded state.", "客户状态编码后的平均大小。"),
            (('sum(streamproc_state_bytes{job="$job"}) / sum(streamproc_kept_customers{job="$job"})', ""),),
            "bytes",
            6,
        ),
        Panel(
            "lines",
            Said("Starts in an hour", "一小时重启次数"),
            Said("How often each process was started anew.", "各进程的重启次数。"),
            (('changes(process_start_time_seconds{job="$job", instance=~"$instance"}[1h])', "{{instance}}"),),
            width=6,
        ),
        Panel(
            "lines",
            Said("Open files", "打开的文件"),
            Said("File descriptors of each process.", "各进程的文件描述符数。"),
            (('process_open_fds{job="$job", instance=~"$instance"}', "{{instance}}"),),
            width=6,
        ),
        Panel(
            "lines",
            Said("Records of the journal", "日志记录数"),
            Said("The journal's records; it is kept for ever.", "日志记录数，永久保存。"),
            (('sum(streamproc_journal_records{job="$job"})', ""),),
            width=6,
        ),
        Panel(
            "lines",
            Said("Bytes of the journal", "日志大小"),
            Said(
                "Bytes of the journal's records, from a sample; on disk, and in copies, they take more.",
                "按抽样估计的日志记录字节数；加上磁盘开销和副本会更多。",
            ),
            (('sum(streamproc_journal_bytes{job="$job"})', ""),),
            "bytes",
            6,
        ),
    ),
)

PIPELINE = Board(
    "pipeline",
    Said("Pipeline", "处理流程"),
    Said(
        "Is every feed flowing, does time move, what waits, what is refused, what does it cost?",
        "数据是否畅通、时间是否推进、积压与拒收情况、资源消耗。",
    ),
    "now-6h",
    (NOW, FEEDS, WORK, FEED, RESOURCES),
    (Chosen("instance", Said("Process", "进程"), "up"),),
)
