"""The data tests on the state (see `warehouse.checkup`): each says what must hold, and of which rows."""

from __future__ import annotations

from typing import Any, get_args

from sqlalchemy import (
    Connection,
    Table,
    UniqueConstraint,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)

from extraction.model import Qualifier, Status, Verdict
from warehouse.checkup import EXAMPLES, DataTest, OfBatch, Outcome, Question, Within, look, question, tell
from warehouse.choosing import CLASSES
from warehouse.keys import NOT_APPLICABLE, UNKNOWN, hash_text
from warehouse.row_tests import check_breakdowns, check_rates, check_spans, check_texts, check_units
from warehouse.schema import (
    dim_document as doc,
)
from warehouse.schema import (
    document_text,
    fact_check,
    fact_document_progress,
    fact_fetch,
    fact_mention,
    fact_metric_value,
    fact_observation,
    fact_source_run,
    metadata,
    page,
    quarantine,
)
from warehouse.schema_dims import WITH_HISTORY, dim_load, dim_metric, dim_source
from warehouse.upsert import key_name

PER_MENTION = 4000
"""Characters of a year's report texts from one source within which at least one number stands; see `test_floors`."""

ACCEPTED: dict[Table, dict[str, tuple[str, ...]]] = {
    fact_observation: {"status": get_args(Status), "qualifier": get_args(Qualifier)},
    fact_mention: {"qualifier": get_args(Qualifier), "numeral": ("arabic", "han")},
    fact_check: {"verdict": get_args(Verdict), "subject_kind": ("document", "region_period")},
    fact_metric_value: {"status": get_args(Status), "chosen_by": CLASSES, "basis": ("period", "cumulative")},
    fact_source_run: {"status": ("ok", "failed")},
    fact_fetch: {
        "robots": ("allowed", "denied", "unknown", "not_asked"),
        "kind": ("list", "page", "feed", "attachment", "robots"),
    },
    page: {"state": ("known", "active", "failed", "gone", "rejected"), "kind": ("list", "page", "feed", "attachment")},
    document_text: {"text_origin": ("page", "attachment")},
    dim_metric: {"measure": ("stock", "flow", "rate", "level")},
}


def check_grain(conn: Connection) -> Outcome:
    """From the rows themselves: a restored copy or another tool's table may have lost the constraint."""
    outcome = Outcome()
    for table in metadata.sorted_tables:
        uniques = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
        for columns in [list(table.primary_key), *(list(c.columns) for c in uniques)]:
            of_rows = select(*columns, func.count().label("n")).where(table.c[key_name(table)] >= 0)
            groups = of_rows.group_by(*columns).subquery()
            counted = conn.execute(select(func.coalesce(func.sum(groups.c.n), 0), func.count()).select_from(groups))
            n_rows, n_groups = map(int, counted.one())
            found = Outcome(n_rows, n_rows - n_groups)
            if found.n_failed:
                some = select(*list(groups.c)[:-1]).where(groups.c.n > 1).limit(EXAMPLES)
                found.examples = tuple(f"{table.name}: {tell(row)}" for row in conn.execute(some))
            outcome.add(found)
    return outcome


def check_references(conn: Connection) -> Outcome:
    outcome = Outcome()
    for table in metadata.sorted_tables:
        links = []
        for column in table.columns:
            for link in column.foreign_keys:
                target = link.column.table.alias("target")
                there = select(literal(1)).where(target.c[link.column.name] == column).correlate(table).exists()
                links.append(and_(column.is_not(None), there))
        if links:
            found = look(conn, table, and_(*links), literal(1) == 1, table.c[key_name(table)])
            found.examples = tuple(f"{table.name} {one}" for one in found.examples)
            outcome.add(found)
    return outcome


def check_words(conn: Connection) -> Outcome:
    outcome = Outcome()
    for table, columns in ACCEPTED.items():
        (key,) = table.primary_key.columns
        good = and_(*(table.c[name].in_(words) for name, words in columns.items()))
        found = look(conn, table, good, key >= 0, *(table.c[name] for name in columns), key)
        found.examples = tuple(f"{table.name}: {one}" for one in found.examples)
        outcome.add(found)
    return outcome


def check_history(conn: Connection) -> Outcome:
    outcome = Outcome()
    for table in WITH_HISTORY:
        (natural, *_rest) = next(
            list(c.columns) for c in table.constraints if isinstance(c, UniqueConstraint) and len(c.columns) == 2
        )
        outcome.add(_versions(table, natural.name, table.c[key_name(table)] >= 0).ask(conn, {}))
    return outcome


@OfBatch
def check_document_versions(within: Within) -> Question:
    key = doc.c.document_key
    return _versions(doc, "document_id", and_(key >= 0, within.ids(doc.c.document_id)))


def _versions(table: Table, natural: str, where: Any) -> Question:
    """Numbered from 1, end to end, the last one current and open."""
    c = table.c
    order: dict[str, Any] = {"partition_by": c[natural], "order_by": c.version_no}
    versions = (
        select(
            c[natural].label("natural"),
            c.version_no,
            c.valid_from,
            c.valid_to,
            c.is_current,
            func.row_number().over(**order).label("place"),
            func.count().over(partition_by=c[natural]).label("n"),
            func.lag(c.valid_to).over(**order).label("before"),
        )
        .where(where)
        .subquery("versions")
    )
    v = versions.c
    is_last = v.place == v.n
    good = and_(
        v.version_no == v.place,
        v.valid_from.is_not(None),
        or_(v.place == 1, v.before == v.valid_from),
        case((is_last, v.valid_to.is_(None)), else_=v.valid_from < v.valid_to),
        v.is_current == is_last,
    )
    return question(versions, good, literal(1) == 1, v.natural, v.version_no)


@OfBatch
def check_counted_once(within: Within) -> Question:
    """Of the current versions with one text the first report counts; what is no report and has figures does not."""
    c = doc.c
    place = func.row_number().over(
        partition_by=(c.text_hash, c.is_current), order_by=(c.is_report.desc(), c.document_id)
    )
    ranked = (
        select(c.document_id, c.text_hash, c.is_current, c.is_counted, c.is_report, c.is_parsed, place.label("place"))
        .where(c.document_key >= 0, within.texts(c.text_hash))
        .subquery("ranked")
    )
    r = ranked.c
    is_first = or_(r.place == 1, r.text_hash == hash_text(""))
    counts = and_(r.is_current, is_first, or_(r.is_report, ~r.is_parsed))
    return question(ranked, r.is_counted == counts, literal(1) == 1, r.document_id)


def check_claims(conn: Connection) -> Outcome:
    """Per document: each number says how many figures were read from it."""
    seen, mention = fact_observation, fact_mention
    claims = (
        select(seen.c.document_key, seen.c.span_start, seen.c.span_end, func.count().label("n"))
        .where(seen.c.document_key >= 0)
        .group_by(seen.c.document_key, seen.c.span_start, seen.c.span_end)
        .subquery("claims")
    )
    rows = mention.outerjoin(
        claims,
        and_(
            claims.c.document_key == mention.c.document_key,
            claims.c.span_start == mention.c.span_start,
            claims.c.span_end == mention.c.span_end,
        ),
    )
    good = mention.c.n_observations == func.coalesce(claims.c.n, 0)
    return look(conn, rows, good, mention.c.document_key >= 0, mention.c.document_key, mention.c.span_start)


def check_figures_of_parsed(conn: Connection) -> Outcome:
    """Only versions whose figures were read have figures."""
    found = Outcome()
    for table in (fact_observation, fact_mention):
        per_document = (
            select(table.c.document_key, func.count().label("n"))
            .where(table.c.document_key >= 0)
            .group_by(table.c.document_key)
            .subquery()
        )
        rows = per_document.join(doc, doc.c.document_key == per_document.c.document_key)
        found.add(look(conn, rows, doc.c.is_parsed, literal(1) == 1, doc.c.document_id))
    return found


@OfBatch
def check_progress(within: Within) -> Question:
    progress = fact_document_progress
    rows = doc.outerjoin(progress, progress.c.document_key == doc.c.document_key)
    good = progress.c.document_key.is_not(None)
    where = and_(doc.c.document_key >= 0, within.keys(doc.c.document_key))
    return question(rows, good, where, doc.c.document_id)


@OfBatch
def check_floors(within: Within) -> Question:
    """Per source and year: long report texts without numbers were not read, they were lost."""
    per_document = (
        select(fact_mention.c.document_key, func.count().label("n"))
        .where(within.keys(fact_mention.c.document_key))
        .group_by(fact_mention.c.document_key)
        .subquery()
    )
    n = func.coalesce(func.sum(per_document.c.n), 0)
    groups = (
        select(
            dim_source.c.source_id,
            doc.c.report_year,
            func.sum(func.length(document_text.c.text)).label("characters"),
            n.label("n"),
        )
        .select_from(doc)
        .join(document_text, document_text.c.text_key == doc.c.text_key)
        .join(dim_source, dim_source.c.source_key == doc.c.source_key)
        .outerjoin(per_document, per_document.c.document_key == doc.c.document_key)
        .where(doc.c.is_counted, doc.c.is_report, doc.c.is_parsed, within.keys(doc.c.document_key))
        .group_by(dim_source.c.source_id, doc.c.report_year)
        .subquery("floors")
    )
    g = groups.c
    good = g.n >= g.characters / PER_MENTION - 1
    return question(groups, good, literal(1) == 1, g.source_id, g.report_year, g.characters, g.n)


@OfBatch
def check_values(within: Within) -> Question:
    """A chosen value is a statement of a report that counts, to the letter."""
    value, seen = fact_metric_value, fact_observation
    rows = value.join(seen, seen.c.observation_key == value.c.observation_key).join(
        doc, doc.c.document_key == value.c.document_key
    )
    same = ("document_key", "period_key", "unit_key", "as_of_date_key", "value_num", "status", "qualifier")
    good = and_(
        *(value.c[name] == seen.c[name] for name in same),
        doc.c.is_counted,
        doc.c.is_report,
        ~seen.c.is_derived,
        value.c.n_statements >= value.c.n_documents,
        value.c.n_documents >= 1,
    )
    return question(
        rows, good, within.bodies(value.c.region_key, value.c.agency_key), doc.c.document_id, value.c.value_key
    )


@OfBatch
def check_targets(within: Within) -> Question:
    value, seen = fact_metric_value, fact_observation
    rows = value.join(seen, seen.c.observation_key == value.c.observation_key)
    is_forecast = value.c.chosen_by == "forecast"
    good = and_((value.c.status == "target") == is_forecast, (seen.c.status == "target") == is_forecast)
    return question(rows, good, within.bodies(value.c.region_key, value.c.agency_key), value.c.value_key)


def check_loads(conn: Connection) -> Outcome:
    """Every fact came with a load that was published."""
    outcome = Outcome()
    for table in (doc, fact_observation, fact_mention, fact_check, fact_metric_value):
        used = select(table.c.load_key).where(table.c.load_key != NOT_APPLICABLE).distinct().subquery("used")
        rows = used.outerjoin(dim_load, dim_load.c.load_key == used.c.load_key)
        good = or_(dim_load.c.published_at.is_not(None), used.c.load_key == UNKNOWN)
        outcome.add(look(conn, rows, good, literal(1) == 1, used.c.load_key))
    return outcome


def check_run_counts(conn: Connection) -> Outcome:
    """A run brought as many figures as bear its load; fewer are left only where texts, or pages in the archive, were
    read again since: by a load that is no run's."""
    outcome, run = Outcome(), fact_source_run
    progress = fact_document_progress
    reread = (
        select(dim_source.c.current_key)
        .join(doc, doc.c.source_key == dim_source.c.source_key)
        .join(progress, progress.c.document_key == doc.c.document_key)
        .where(or_(progress.c.load_key != doc.c.load_key, doc.c.load_key.not_in(select(run.c.load_key))))
    )
    for table, name in ((fact_observation, "n_observations"), (fact_mention, "n_mentions")):
        rows = select(table.c.load_key, func.count().label("n")).group_by(table.c.load_key).subquery("rows")
        told = (
            select(run.c.load_key, func.min(run.c.source_key).label("source_key"), func.sum(run.c[name]).label("n"))
            .where(run.c.load_key != NOT_APPLICABLE)
            .group_by(run.c.load_key)
            .subquery("told")
        )
        both = told.outerjoin(rows, rows.c.load_key == told.c.load_key)
        n = func.coalesce(rows.c.n, 0)
        good = or_(n == told.c.n, and_(n < told.c.n, told.c.source_key.in_(reread)))
        found = look(conn, both, good, literal(1) == 1, told.c.load_key, told.c.n, n)
        found.examples = tuple(f"{name}: load, told, there: {one}" for one in found.examples)
        outcome.add(found)
    return outcome


def check_quarantine(conn: Connection) -> Outcome:
    q = quarantine.c
    good = and_(q.reason != "", q.way_back != "", q.resolved_at.is_(None) == (q.resolved_load_key == NOT_APPLICABLE))
    return look(conn, quarantine, good, literal(1) == 1, q.quarantine_key)


TESTS = (
    DataTest("grain", "每表粒度唯一", "one row per natural key in every table", check_grain),
    DataTest("references", "外键非空且有所指", "no reference is empty or leads nowhere", check_references),
    DataTest("accepted_values", "取值在约定范围内", "words are those of the dictionary", check_words),
    DataTest("history", "维度版本首尾相接", "versions of regions, sources and metrics are end to end", check_history),
    DataTest(
        "document_versions", "文档版本首尾相接且仅一个现行", "versions of a document are end to end, one is current",
        check_document_versions,
    ),
    DataTest(
        "counted_once", "同一文本只计一次", "a text counts once, and only a report's figures count", check_counted_once,
    ),
    DataTest("texts", "文本与哈希一致", "a text is the one that its hash names", check_texts),
    DataTest("spans", "原文片段逐字一致", "text[start:end] is what the row says", check_spans),
    DataTest("units", "每指标一个单位", "a metric has one unit, its own", check_units),
    DataTest("rates", "比率在0至100之间", "rates are within 0 and 100, or damaged", check_rates, may_be_empty=True),
    DataTest("breakdowns", "分项归属同一文档", "a part names a total beside it", check_breakdowns, may_be_empty=True),
    DataTest("document_counts", "每文档计数一致", "per document, numbers and figures agree", check_claims),
    DataTest("parsed", "只有已解析文档有数字", "only versions that were parsed have figures", check_figures_of_parsed),
    DataTest("progress", "每版本有进度", "each document version has its way told", check_progress),
    DataTest(
        "floors", "每来源每年不低于下限", f"a source's reports of a year hold a number in {PER_MENTION:,} characters",
        check_floors,
    ),
    DataTest(
        "chosen_values", "选定值即所引陈述", "a chosen value is a statement of a report that counts", check_values,
    ),
    DataTest("targets", "目标值不作实际值", "no target is among the actual values", check_targets),
    DataTest("loads", "装载均已发布", "every row came with a load that was published", check_loads),
    DataTest("run_counts", "每次运行计数一致", "per run and load, figures told and there agree", check_run_counts),
    DataTest(
        "quarantine", "隔离行有原因和出路", "rows set aside have a reason, a way back, and a load once resolved",
        check_quarantine, may_be_empty=True,
    ),
)  # fmt: skip
"""All tests, in the order in which they are shown."""
