"""Settings, read once: a TOML file, then environment variables (STREAMPROC_…) over it. All errors are told at once."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

Days = Annotated[int, Field(ge=1, le=3650)]


class ConfigError(Exception):
    """The settings cannot be used; the message names every one that is wrong."""


class Settings(BaseSettings):
    """What can be set, with sane defaults.

    `horizon_days` (one, or by customer kind in `horizons`), `lateness_hours`, `currency` and `partitions` are fixed
    with the first record of a data folder. `hosts` are further names under which the page is reached. Where no source
    of purchases has brought anything for `stale_hours`, silence is not taken for silence. `policy` holds the fields
    of the policy that differ from its defaults.
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
    policy: dict[str, float | int | str] = {}


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
        from_environment = Settings().model_dump(exclude_unset=True)
        return Settings(**{**values, **from_environment, **{k: v for k, v in given.items() if v is not None}})
    except ValidationError as error:
        raise ConfigError(_explain(error)) from error


def _explain(error: ValidationError) -> str:
    lines = [f"  {'.'.join(str(part) for part in e['loc']) or 'settings'}: {e['msg']}" for e in error.errors()]
    return "these settings cannot be used:\n" + "\n".join(lines)
