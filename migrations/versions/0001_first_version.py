"""Tables, functions, triggers and views of the first version."""

from collections.abc import Sequence
from pathlib import Path

from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_SQL = Path(__file__).resolve().parent.parent / "sql"


def upgrade() -> None:
    """Run the SQL files of this revision, in order, in the transaction of the migration."""
    bind = op.get_bind()
    # A first statement makes the driver open the transaction that the scripts then run in.
    bind.exec_driver_sql("SELECT 1")
    for name in ("0001_tables.sql", "0001_functions.sql", "0001_views.sql"):
        script = (_SQL / name).read_text(encoding="utf-8")
        # Only the driver's own `execute` takes a script of several statements.
        bind.connection.run_async(lambda driver, text=script: driver.execute(text))


def downgrade() -> None:
    """Schemas only go up: restore a backup instead."""
    raise NotImplementedError("Schemas only go up: restore a backup instead.")
