"""Real servers for tests: Apache Kafka and Redis, each a process of its own in a folder of its own."""
