"""Settings, read once: a TOML file, then environment variables (STREAMPROC_…) over it. All errors are told at once."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict, SettingsError

STREAMS = ("purchases", "complaints", "contacts", "facts")
Days = Annotated[int, Field(ge=1, le=3650)]


ADDRESS = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):([0-9]{1,5})")


def _addresses(text: str) -> str:
    addresses = [one.strip() for one in text.split(",")] if text else []
    for one in addresses:
        found = ADDRESS.fullmatch(one)
        if found is None or not 0 < int(found[1]) < 2**16:
            raise ValueError(f"{one!r} is no host:port; several are parted by commas")
    return ",".join(addresses)


def _redis_address(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    # What is wrong is not repeated, for it may be a password; a query would turn the check of certificates off.
    if text and not _is_redis(text):
        raise ValueError("an address is redis://[user:password@]host:port/number, or rediss://, and nothing behind")
    return secret


def _is_redis(text: str) -> bool:
    try:
        address = urlsplit(text)
        return (
            address.scheme in {"redis", "rediss"} and bool(address.hostname) and address.port != 0 and "?" not in text
        )
    except ValueError:
        return False


Addresses = Annotated[str, AfterValidator(_addresses)]
Topic = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")]


class ConfigError(Exception):
    """The settings cannot be used; the message names every one that is wrong."""


class KafkaSettings(BaseModel):
    """How Kafka is reached, and which topics hold what.

    `brokers` (host:port, several parted by commas) being set is what makes the commands turn to Kafka. `purchases`,
    `complaints`, `contacts` and `facts` are the firm's own topics, by their full names; those that streamproc makes
    begin with `prefix`. `partitions`, those of the journal, are fixed once it is made. With `clock` event, time ends
    where the data ends: for a past that is played, not for a shop that is open. A worker that is silent for
    `session_seconds` loses its partitions to the others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    brokers: Addresses = ""
    security: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = "PLAINTEXT"
    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"
    user: str = ""
    password: SecretStr = SecretStr("")
    authority: Path | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,150}$")] = "streamproc."
    purchases: Topic = "purchases"
    complaints: Topic = "complaints"
    contacts: Topic = "contacts"
    facts: Topic = "facts"
    partitions: Annotated[int, Field(ge=1, le=1024)] = 8
    mapping: Path | None = None
    clock: Literal["wall", "event"] = "wall"
    session_seconds: Annotated[float, Field(ge=1.0, le=300.0)] = 10.0

    @property
    def inputs(self) -> dict[str, str]:
        """The firm's topics, by the stream they carry."""
        return {stream: getattr(self, stream) for stream in STREAMS}


def _agreeing(kafka: KafkaSettings) -> KafkaSettings:
    # Whoever names a user or a certificate believes in being protected: never go on without.
    wrong = []
    if kafka.security == "SASL_SSL" and not (kafka.user and kafka.password.get_secret_value()):
        wrong.append("security SASL_SSL needs user and password")
    if kafka.security != "SASL_SSL" and (kafka.user or kafka.password.get_secret_value()):
        wrong.append(f"user and password need security SASL_SSL, not {kafka.security}")
    if kafka.security == "PLAINTEXT" and (kafka.authority or kafka.certificate):
        wrong.append("authority and certificate need security SSL or SASL_SSL")
    if (kafka.certificate is None) != (kafka.certificate_key is None):
        wrong.append("certificate and certificate_key need each other")
    if len(set(kafka.inputs.values())) < len(STREAMS):
        wrong.append("purchases, complaints, contacts and facts are four topics")
    if wrong:
        raise ValueError("; ".join(wrong))
    return kafka


class RedisSettings(BaseModel):
    """Where the feed of a cluster is kept: `redis://user:password@host:6379/0`, or `rediss://…` with TLS."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[SecretStr, AfterValidator(_redis_address)] = SecretStr("")
    authority: Path | None = None


class Settings(BaseSettings):
    """What can be set, with sane defaults.

    `horizon_days` (one, or by customer kind in `horizons`), `lateness_hours`, `currency` and `partitions` are fixed
    with the first record of a data folder. `hosts` are further names under which the page is reached. Where no source
    of purchases has brought anything for `stale_hours`, silence is not taken for silence. `policy` holds the fields
    of the policy that differ from its defaults; `playbook` is a file that takes the place of ours. `kafka` and `redis`
    are for running on a cluster (`STREAMPROC_KAFKA__BROKERS`, or `brokers` under `[kafka]`).
    """

    model_config = SettingsConfigDict(env_prefix="STREAMPROC_", frozen=True, extra="forbid", env_nested_delimiter="__")

    data: Path = Path("streamproc-data")
    listen: str = "127.0.0.1:8080"
    token: str = ""
    hosts: tuple[str, ...] = ()
    language: Literal["en", "zh-CN"] = "en"
    horizon_days: Days = 90
    horizons: dict[Literal["consumer", "business", "dealer"], Days] = {}
    lateness_hours: Annotated[int, Field(ge=0, le=24 * 29)] = 24
    stale_hours: Annotated[int, Field(ge=1, le=24 * 365)] = 72
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "EUR"
    partitions: Annotated[int, Field(ge=1, le=1024)] = 1
    keep_text: bool = False
    policy: dict[str, Any] = {}
    playbook: Path | None = None
    kafka: Annotated[KafkaSettings, AfterValidator(_agreeing)] = KafkaSettings()
    redis: RedisSettings = RedisSettings()


def load(path: Path | None = None, **given: Any) -> Settings:  # noqa: ANN401 - whatever the command line holds
    """The settings from `path` (or `streamproc.toml`, where there is one), the environment, and what was `given`.

    What was given on the command line wins, then the environment, then the file. Raises ConfigError naming every error.
    """
    file = path or Path("streamproc.toml")
    values: dict[str, Any] = {}
    if path is not None or file.exists():
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"cannot read {file}: {error}") from error
    try:
        from_environment = EnvSettingsSource(Settings)()
        return Settings(**_over(_over(values, from_environment), {k: v for k, v in given.items() if v is not None}))
    except ValidationError as error:
        raise ConfigError(_explain(error)) from error
    except SettingsError as error:  # a list that is not written as JSON, say
        raise ConfigError(f"these settings cannot be used:\n  in the environment: {error}") from error


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """What is `above` wins; two tables of the same name become one."""
    return below | {
        name: _over(below[name], value) if isinstance(value, dict) and isinstance(below.get(name), dict) else value
        for name, value in above.items()
    }


def _explain(error: ValidationError) -> str:
    lines = [f"  {'.'.join(str(part) for part in e['loc']) or 'settings'}: {e['msg']}" for e in error.errors()]
    return "these settings cannot be used:\n" + "\n".join(lines)
