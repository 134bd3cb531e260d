"""How a connection to Kafka or Redis is secured: the settings, in the words of each client.

A certificate is always checked against its authority, and its name against the host: no setting turns that off.
"""

import ssl
from pathlib import Path
from typing import Any

import faust

from streamproc.config import ConfigError, KafkaSettings, RedisSettings


def client_security(settings: KafkaSettings) -> dict[str, Any]:
    """What a client of aiokafka or of kafka-python is made with beside its brokers: both use the same names.

    Raises ConfigError for a certificate file that cannot be used.
    """
    arguments = {"security_protocol": settings.security, "ssl_context": _kafka_context(settings)}
    if settings.security != "SASL_SSL":
        return arguments
    return arguments | {
        "sasl_mechanism": settings.mechanism,
        "sasl_plain_username": settings.user,
        "sasl_plain_password": settings.password.get_secret_value(),
    }


def broker_credentials(settings: KafkaSettings) -> "faust.SSLCredentials | faust.SASLCredentials | None":
    """What a Faust app is made with, None for a connection in the clear. Raises ConfigError as above."""
    # In quotes, as Faust loads its parts when they are named: commands that only ask the brokers do without.
    context = _kafka_context(settings)
    if context is None:
        return None
    if settings.security == "SSL":
        return faust.SSLCredentials(context)
    return faust.SASLCredentials(
        username=settings.user,
        password=settings.password.get_secret_value(),
        ssl_context=context,
        mechanism=settings.mechanism,
    )


def redis_arguments(settings: RedisSettings) -> dict[str, Any]:
    """What `Redis.from_url` takes: the address, and for `rediss://` what to trust. Raises ConfigError as above."""
    url = settings.url.get_secret_value()
    if not url.startswith("rediss://"):
        return {"url": url}
    if settings.authority is not None:
        _context(settings.authority, "redis.authority")
        return {"url": url, "ssl_ca_certs": str(settings.authority)}
    return {"url": url}


def _kafka_context(settings: KafkaSettings) -> ssl.SSLContext | None:
    if settings.security == "PLAINTEXT":
        return None
    context = _context(settings.authority, "kafka.authority")
    if settings.certificate is not None:
        try:
            context.load_cert_chain(settings.certificate, settings.certificate_key)
        except OSError as error:  # a TLS error is one, too
            raise ConfigError(f"kafka.certificate, kafka.certificate_key: {settings.certificate}: {error}") from error
    return context


def _context(authority: Path | None, setting: str) -> ssl.SSLContext:
    """Checks certificates against the authority in a PEM file, or against those that the system trusts."""
    try:
        return ssl.create_default_context(cafile=authority)
    except OSError as error:
        raise ConfigError(f"{setting}: {authority}: {error}") from error
