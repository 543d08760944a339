"""The settings of the service (docs/contract.md, section 3)."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ringfence.core.config.addresses import check_address

VARIABLE = "RINGFENCE_SERVE__"


class ServeSettings(BaseModel):
    """The settings ``RINGFENCE_SERVE__*``.

    ``public_url`` is the address under which others reach the service, and what signatures are made over; None: the
    loopback address of the port. ``max_body`` is in bytes, ``rate`` in requests a second and token, ``origins`` are
    the web pages that may ask ``/v1/check``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="address to listen on; any but a loopback one needs tokens")
    port: int = Field(8080, ge=0, le=65_535, description="port to listen on")
    public_url: str | None = Field(None, description="address that others call, over which signatures are made")
    max_body: int = Field(1_000_000, ge=1_000, description="bytes of a request's body at most")
    rate: int = Field(500, ge=1, description="requests a second and token")
    origins: list[str] = Field(default_factory=list, description="JSON list of the web pages that may ask /v1/check")

    @field_validator("public_url")
    @classmethod
    def _safe(cls, value: str | None) -> str | None:
        return check_address(value, f"{VARIABLE}PUBLIC_URL", "https://ringfence.example.com") if value else None

    @field_validator("origins")
    @classmethod
    def _plain(cls, values: list[str]) -> list[str]:
        """Refuse what no browser would name, which would silently let no page in."""
        for value in values:
            parts = urlsplit(value)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
                raise ValueError(f"{value!r} is no origin; write it as https://www.example.com")
        return values

    def address(self, port: int | None = None) -> str:
        """Return the address under which others call, without a slash at its end; ``port``: the one listened on."""
        return (self.public_url or f"http://127.0.0.1:{port or self.port}").rstrip("/")
