"""Settings of a cluster: from file and environment, all errors at once, no secret in what is shown."""

from pathlib import Path

import pytest

from streamproc.config import ConfigError, KafkaSettings, load

WHOLE = """
partitions = 2
[kafka]
brokers = "a:9092, [::1]:9093"
security = "SASL_SSL"
user = "shop"
[redis]
url = "rediss://shop:secret@r:6380/2"
"""


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "streamproc.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_environment_adds_to_the_tables_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMPROC_KAFKA__PASSWORD", "hush")
    monkeypatch.setenv("STREAMPROC_KAFKA__USER", "other")
    settings = load(file(tmp_path, WHOLE))
    assert settings.kafka.brokers == "a:9092,[::1]:9093"
    assert (settings.kafka.user, settings.kafka.password.get_secret_value()) == ("other", "hush")
    assert settings.redis.url.get_secret_value() == "rediss://shop:secret@r:6380/2"
    assert settings.partitions == 2


def test_no_secret_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMPROC_KAFKA__PASSWORD", "hush")
    settings = load(file(tmp_path, WHOLE))
    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert "hush" not in text
        assert "secret@" not in text


def test_the_inputs_are_named_by_what_they_carry() -> None:
    settings = KafkaSettings(purchases="shop.orders")
    assert settings.inputs == {
        "purchases": "shop.orders",
        "complaints": "complaints",
        "contacts": "contacts",
        "facts": "facts",
    }


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('brokers = "a"', "kafka.brokers: Value error, 'a' is no host:port"),
        ('brokers = "a:9092,,b:1"', "'' is no host:port"),
        ('brokers = "a:0"', "'a:0' is no host:port"),
        ('brokers = "a:70000"', "'a:70000' is no host:port"),
        ('security = "SASL_PLAINTEXT"', "kafka.security"),
        ('security = "SASL_SSL"', "security SASL_SSL needs user and password"),
        ('user = "u"\npassword = "p"', "user and password need security SASL_SSL, not PLAINTEXT"),
        ('authority = "ca.pem"', "authority and certificate need security SSL or SASL_SSL"),
        ('security = "SSL"\ncertificate = "c.pem"', "certificate and certificate_key need each other"),
        ('facts = "contacts"', "are four topics"),
        ('prefix = "a b"', "kafka.prefix"),
        ("partitions = 0", "kafka.partitions"),
        ('broker = "a:1"', "kafka.broker: Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_is_told(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(file(tmp_path, f"[kafka]\n{table}\n"))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:hush@r:6379",
        "hush",
        "redis:///0?password=hush",
        "rediss://user:hush@r:6379/0?ssl_cert_reqs=none",
        "redis://:hush@r:port",
    ],
)
def test_a_wrong_redis_address_is_told_without_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(file(tmp_path, f'[redis]\nurl = "{url}"\n'))
    assert "redis.url" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_several_errors_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(file(tmp_path, '[kafka]\nbrokers = "a"\npartitions = 0\n[redis]\nurl = "x"\n'))
    assert str(caught.value).count("\n") == 3
