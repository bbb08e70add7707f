"""The database itself moves the running totals with each ledger entry, whoever enters it (docs/adr/0034).

On PostgreSQL one trigger takes all entries of a statement at once, so that many cost little more than one; SQLite
takes them one by one. Both do the same, in the same order: the appeal's row of totals first, so that of two who enter
gifts to one appeal the second waits there and nowhere else.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# A kind whose entries move what went back; every other moves what was received.
GOES_BACK = "kind IN ('refund', 'dispute', 'refund_reversed', 'dispute_reinstated')"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRESQL)
        op.execute(
            "CREATE TRIGGER ledger_entries_move_totals AFTER INSERT ON ledger_entries "
            "REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION ledger_move_totals()"
        )
        return
    for statement in SQLITE:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER ledger_entries_move_totals ON ledger_entries")
        op.execute("DROP FUNCTION ledger_move_totals()")
        return
    op.execute("DROP TRIGGER ledger_entries_move_totals")
    op.execute("DROP TRIGGER ledger_entries_move_uncounted")


# -- PostgreSQL: what each entry moves is worked out once (`moved`), and every total takes its sum from there.
# Its plan is kept for as long as a connection lives: one made while the tables are empty must not read them whole later.

POSTGRESQL = f"""
CREATE FUNCTION ledger_move_totals() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    PERFORM FROM appeal_totals WHERE appeal_id IN (SELECT appeal_id FROM entered) ORDER BY appeal_id FOR UPDATE;
    WITH standing AS (
        SELECT e.*, d.donor_id, d.page, d.src,
            CASE WHEN {GOES_BACK} THEN 0 ELSE e.amount_minor END AS received,
            CASE WHEN {GOES_BACK} THEN -e.amount_minor ELSE 0 END AS returned,
            d.received_minor - d.returned_minor + sum(e.amount_minor) OVER (PARTITION BY d.id ORDER BY e.id) AS after
        FROM entered e JOIN donations d ON d.id = e.donation_id
        WHERE e.counted
    ), moved AS MATERIALIZED (
        SELECT *, (after > 0)::int - (after - amount_minor > 0)::int AS gifts FROM standing
    ), donations_moved AS (
        UPDATE donations d
        SET received_minor = d.received_minor + m.received, returned_minor = d.returned_minor + m.returned
        FROM (SELECT donation_id, sum(received) AS received, sum(returned) AS returned FROM moved GROUP BY donation_id) m
        WHERE d.id = m.donation_id
    ), donor_sums AS (
        SELECT appeal_id, donor_id, sum(gifts) AS gifts, sum(amount_minor) AS given FROM moved GROUP BY appeal_id, donor_id
    ), donors_moved AS (
        INSERT INTO appeal_donors AS kept (appeal_id, donor_id, gift_count, given_minor)
        SELECT appeal_id, donor_id, gifts, given FROM donor_sums
        ON CONFLICT (appeal_id, donor_id) DO UPDATE
        SET gift_count = kept.gift_count + excluded.gift_count, given_minor = kept.given_minor + excluded.given_minor
        RETURNING kept.appeal_id, kept.donor_id, kept.gift_count AS after
    ), donors AS (
        SELECT appeal_id, sum((after > 0)::int - (after - gifts > 0)::int) AS change
        FROM donors_moved JOIN donor_sums USING (appeal_id, donor_id) GROUP BY appeal_id
    ), days_moved AS (
        INSERT INTO daily_totals AS kept
            (appeal_id, day, source, placement, frequency, received_minor, returned_minor, gift_count)
        SELECT appeal_id, day, source, placement, frequency, sum(received), sum(returned), sum(gifts)
        FROM moved GROUP BY appeal_id, day, source, placement, frequency
        ON CONFLICT (appeal_id, day, source, placement, frequency) DO UPDATE
        SET received_minor = kept.received_minor + excluded.received_minor,
            returned_minor = kept.returned_minor + excluded.returned_minor,
            gift_count = kept.gift_count + excluded.gift_count
    ), attributions_moved AS (
        INSERT INTO attribution_totals AS kept
            (appeal_id, dimension, value, frequency, received_minor, returned_minor, gift_count)
        SELECT appeal_id, dimension, value, frequency, sum(received), sum(returned), sum(gifts)
        FROM moved CROSS JOIN LATERAL (VALUES ('page', page), ('src', src)) AS of (dimension, value)
        WHERE value <> ''
        GROUP BY appeal_id, dimension, value, frequency
        ON CONFLICT (appeal_id, dimension, value, frequency) DO UPDATE
        SET received_minor = kept.received_minor + excluded.received_minor,
            returned_minor = kept.returned_minor + excluded.returned_minor,
            gift_count = kept.gift_count + excluded.gift_count
    )
    UPDATE appeal_totals t SET
        raised_minor = t.raised_minor + coalesce(m.amount, 0),
        online_minor = t.online_minor + coalesce(m.online, 0),
        post_minor = t.post_minor + coalesce(m.post, 0),
        bank_minor = t.bank_minor + coalesce(m.bank, 0),
        gift_count = t.gift_count + coalesce(m.gifts, 0),
        donor_count = t.donor_count + coalesce(donors.change, 0),
        uncounted_minor = t.uncounted_minor + e.uncounted,
        entry_count = t.entry_count + e.entries,
        as_of = greatest(t.as_of, m.recorded_at)
    FROM (
        SELECT appeal_id, count(*) AS entries, coalesce(sum(amount_minor) FILTER (WHERE NOT counted), 0) AS uncounted
        FROM entered GROUP BY appeal_id
    ) e
    LEFT JOIN (
        SELECT appeal_id, sum(amount_minor) AS amount, sum(gifts) AS gifts, max(recorded_at) AS recorded_at,
            sum(amount_minor) FILTER (WHERE source = 'online') AS online,
            sum(amount_minor) FILTER (WHERE source = 'post') AS post,
            sum(amount_minor) FILTER (WHERE source = 'bank') AS bank
        FROM moved GROUP BY appeal_id
    ) m USING (appeal_id)
    LEFT JOIN donors USING (appeal_id)
    WHERE t.appeal_id = e.appeal_id;
    RETURN NULL;
END $$
"""

# -- SQLite: one entry at a time. A comparison is 0 or 1 there, so differences of them count.

RECEIVED = f"CASE WHEN NEW.{GOES_BACK} THEN 0 ELSE NEW.amount_minor END"
RETURNED = f"CASE WHEN NEW.{GOES_BACK} THEN -NEW.amount_minor ELSE 0 END"
# By how much this entry changes the number of gifts that stand: read after the donation was moved.
GIFTS = "(received_minor > returned_minor) - (received_minor - returned_minor > NEW.amount_minor)"
MOVED = f"(SELECT donor_id, page, src, {GIFTS} AS gifts FROM donations WHERE id = NEW.donation_id)"
ADDED = (
    "received_minor = received_minor + excluded.received_minor,"
    " returned_minor = returned_minor + excluded.returned_minor, gift_count = gift_count + excluded.gift_count"
)

SQLITE = (
    f"""
CREATE TRIGGER ledger_entries_move_totals AFTER INSERT ON ledger_entries WHEN NEW.counted BEGIN
    UPDATE donations SET received_minor = received_minor + {RECEIVED}, returned_minor = returned_minor + {RETURNED}
    WHERE id = NEW.donation_id;
    INSERT INTO appeal_donors (appeal_id, donor_id, gift_count, given_minor)
    SELECT NEW.appeal_id, donor_id, gifts, NEW.amount_minor FROM {MOVED} WHERE true
    ON CONFLICT (appeal_id, donor_id) DO UPDATE
    SET gift_count = gift_count + excluded.gift_count, given_minor = given_minor + excluded.given_minor;
    INSERT INTO daily_totals
        (appeal_id, day, source, placement, frequency, received_minor, returned_minor, gift_count)
    SELECT NEW.appeal_id, NEW.day, NEW.source, NEW.placement, NEW.frequency, {RECEIVED}, {RETURNED}, gifts
    FROM {MOVED} WHERE true
    ON CONFLICT (appeal_id, day, source, placement, frequency) DO UPDATE SET {ADDED};
    INSERT INTO attribution_totals
        (appeal_id, dimension, value, frequency, received_minor, returned_minor, gift_count)
    SELECT NEW.appeal_id, 'page', page, NEW.frequency, {RECEIVED}, {RETURNED}, gifts FROM {MOVED} WHERE page <> ''
    UNION ALL
    SELECT NEW.appeal_id, 'src', src, NEW.frequency, {RECEIVED}, {RETURNED}, gifts FROM {MOVED} WHERE src <> ''
    ON CONFLICT (appeal_id, dimension, value, frequency) DO UPDATE SET {ADDED};
    UPDATE appeal_totals SET
        raised_minor = raised_minor + NEW.amount_minor,
        online_minor = online_minor + NEW.amount_minor * (NEW.source = 'online'),
        post_minor = post_minor + NEW.amount_minor * (NEW.source = 'post'),
        bank_minor = bank_minor + NEW.amount_minor * (NEW.source = 'bank'),
        gift_count = appeal_totals.gift_count + moved.gifts,
        donor_count = donor_count + (donor.gift_count > 0) - (donor.gift_count > moved.gifts),
        entry_count = entry_count + 1,
        as_of = max(coalesce(as_of, NEW.recorded_at), NEW.recorded_at)
    FROM {MOVED} AS moved JOIN appeal_donors AS donor ON donor.donor_id = moved.donor_id
    WHERE appeal_totals.appeal_id = NEW.appeal_id AND donor.appeal_id = NEW.appeal_id;
END
""",
    """
CREATE TRIGGER ledger_entries_move_uncounted AFTER INSERT ON ledger_entries WHEN NOT NEW.counted BEGIN
    UPDATE appeal_totals
    SET uncounted_minor = uncounted_minor + NEW.amount_minor, entry_count = entry_count + 1
    WHERE appeal_id = NEW.appeal_id;
END
""",
)
