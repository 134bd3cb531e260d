"""The distributed runtime: the processors as Faust apps on Kafka."""
