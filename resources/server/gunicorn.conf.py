"""Settings of gunicorn for Glassine: everything comes from Glassine's own settings.

    gunicorn --config gunicorn.conf.py "backend:create_app()"

WEB_CONCURRENCY, which gunicorn reads itself, says how many worker processes there are. Several need MongoDB.
"""

import os
from pathlib import Path

from backend.config import Config, ConfigError
from backend.log_format import formatter

try:
    _settings = Config.from_environment()
except ConfigError as error:
    raise SystemExit(f"glassine: {error}") from None

bind = f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
worker_class = "gthread"
threads = _settings.threads
worker_connections = _settings.connections
keepalive = 5
timeout = 120  # a worker that shows no sign of life for so long is ended; requests may take longer
graceful_timeout = _settings.drain_seconds
forwarded_allow_ips = ""  # whom to believe is Glassine's own setting: trusted_proxies
accesslog = None  # Glassine writes its own, without addresses
control_socket_disable = True  # it would be made in the home folder
preload_app = False  # a connection to MongoDB does not outlive a fork
umask = 0o077
if _settings.tls_certificate is not None:
    certfile, keyfile = str(_settings.tls_certificate), str(_settings.tls_key)

logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": lambda: formatter(_settings.log_format)}},
    "filters": {"withhold": {"()": "backend.log_format.WithoutAddresses"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "filters": ["withhold"], "propagate": False},
        "gunicorn.access": {"level": "ERROR", "handlers": ["stderr"], "propagate": False},
    },
}

_figures = os.environ.get("PROMETHEUS_MULTIPROC_DIR")


def on_starting(server):
    """Empty the folder in which the workers put their figures together: what is in it is from an earlier run."""
    if _figures:
        folder = Path(_figures)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in folder.glob("*.db"):
            file.unlink()


def worker_exit(server, worker):
    """Close the storage in order."""
    application = getattr(worker, "wsgi", None)  # None when it could not be built
    if application is not None:
        application.extensions["glassine"].close()


def child_exit(server, worker):
    """Take what the worker was working on out of the figures."""
    if _figures:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)
