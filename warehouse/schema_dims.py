"""Dimensions: one row per member, `-1` unknown and `-2` not applicable in each. Comments are the dictionary."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Date,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from warehouse.columns import Quantity, UtcDateTime, field, key_column, moment, reference, versions

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

dim_load = Table(
    "dim_load",
    metadata,
    key_column("load_key", "Hash of run and source."),
    field("run_id", String, "The run, as the flow names it."),
    field("source_id", String, "The source whose batch was published."),
    field("code_version", String, "Version of the program."),
    field("catalogue_version", String, "Version of the metric catalogue."),
    field("extractor_version", String, "Version of the extraction."),
    field("started_at", UtcDateTime, "Start of the source's crawl.", null=True),
    field("published_at", UtcDateTime, "When the transaction was written.", null=True),
    field("n_inserted", Integer, "Content rows inserted."),
    field("n_updated", Integer, "Content rows updated."),
    field("n_deleted", Integer, "Content rows deleted (chosen values and cross-document checks only)."),
    field("n_quarantined", Integer, "Rows set aside."),
    field("data_tests", Text, "JSON: data test to number of rows it looked at."),
    UniqueConstraint("run_id", "source_id"),
    comment="One row per batch that changed something: a source of a run. A batch without news leaves no row.",
)

dim_date = Table(
    "dim_date",
    metadata,
    key_column("date_key", "YYYYMMDD as a number."),
    field("date", Date, "The day.", null=True),
    field("year", Integer, "Year."),
    field("quarter", Integer, "1 to 4."),
    field("month", Integer, "1 to 12."),
    field("day", Integer, "1 to 31."),
    field("weekday", Integer, "ISO: 1 Monday to 7 Sunday."),
    UniqueConstraint("date"),
    comment="One row per day, in whole years: every year that any fact speaks of.",
)

dim_period = Table(
    "dim_period",
    metadata,
    key_column("period_key", "Hash of period_id."),
    field("period_id", String, "`YYYY`, or a window `YYYY-MM/YYYY-MM`."),
    field("kind", String, "`year`, `half` or `window`."),
    field("year", Integer, "The year in which the period ends."),
    field("n_months", Integer, "Months covered."),
    reference("start_date_key", "dim_date.date_key", "First day."),
    reference("end_date_key", "dim_date.date_key", "Last day."),
    UniqueConstraint("period_id"),
    comment="One row per period that a figure is said to cover.",
)

dim_region = Table(
    "dim_region",
    metadata,
    key_column("region_key", "Hash of region_code; of an older version also of its number."),
    field("region_code", String, "GB/T 2260 code that the place has today or had last; the sandbox's are under 99."),
    field("listed_code", String, "The code that it had then.", versioned=True),
    field("name_zh", String, "Name.", versioned=True),
    field("name_en", String, "Name in Latin letters.", null=True),
    field("level", String, "`province`, `city`, `county` or `unknown`.", versioned=True),
    field("province_zh", String, "Province.", null=True, versioned=True),
    field("city_zh", String, "Prefecture-level city.", null=True, versioned=True),
    field("is_sandbox", Boolean, "A fictional place."),
    field("is_inferred", Boolean, "Only the code is known so far; filled in place later."),
    *versions("dim_region", "region_key", "region_code", audit=False),
    comment="One row per version of a region (GB/T 2260, catalog/regions.yml): place × time in which its code, name "
    "and parents held. A fact has the version of its document's day.",
)

dim_agency = Table(
    "dim_agency",
    metadata,
    key_column("agency_key", "Hash of region_code and name."),
    reference("region_key", "dim_region.region_key", "Where the agency sits."),
    field("name_zh", String, "Name in full, with the place in front as it is called today."),
    UniqueConstraint("region_key", "name_zh"),
    comment="One row per agency: region and full name. Not applicable means: the region's own government.",
)

dim_source = Table(
    "dim_source",
    metadata,
    key_column("source_key", "Hash of source_id; of an older version also of its number."),
    field("source_id", String, "`<region code>_<pinyin>`, the stem of the source's YAML."),
    field("name_zh", String, "Name.", versioned=True),
    field("name_en", String, "Name in English.", versioned=True),
    reference("region_key", "dim_region.region_key", "Whose portal it is.", versioned=True),
    field("engine", String, "The family of portal layouts."),
    field("hosts", Text, "JSON list of hosts."),
    field("is_sandbox", Boolean, "A fictional portal of the demo."),
    field("rhythm", String, "How often a report is expected."),
    field("expected_month", Integer, "By the start of this month last year's report is public."),
    field("is_inferred", Boolean, "Known from failed runs only; filled in place later."),
    *versions("dim_source", "source_key", "source_id"),
    comment="One row per version of a source (connectors/sources/*.yml), cut by when it was seen so. A document and "
    "its facts have the version of the document's day, the crawl log has the current one.",
)

dim_unit = Table(
    "dim_unit",
    metadata,
    key_column("unit_key", "Hash of unit_code."),
    field("unit_code", String, "Canonical unit: `case`, `percent` (0-100), `yuan`, …"),
    field("written_zh", Text, "JSON list of the classifiers that stand for it."),
    field("meaning", Text, "What is counted."),
    UniqueConstraint("unit_code"),
    comment="One row per canonical unit of the catalogue.",
)

dim_metric = Table(
    "dim_metric",
    metadata,
    key_column("metric_key", "Hash of metric_code; of an older version also of its number."),
    field("metric_code", String, "Code in the catalogue."),
    field("name_zh", String, "Name.", versioned=True),
    field("name_en", String, "Name in English.", versioned=True),
    field("section", String, "Part of the report that it belongs to."),
    field("tier", String, "`core` or `extended`."),
    field("definition", Text, "What counts and what does not.", versioned=True),
    reference("unit_key", "dim_unit.unit_key", "Canonical unit of the value.", versioned=True),
    field("kind", String, "`count`, `rate`, `amount`, …", versioned=True),
    field("measure", String, "`flow`, `stock` or `rate`.", versioned=True),
    field("additivity", String, "Over what values may be added: `place,period`, `place` or `none`.", versioned=True),
    field("part_of", String, "Metric that this one is a part of.", null=True, versioned=True),
    field("plausible_low", Quantity, "Lower end of the plausible range for a county and year.", null=True),
    field("plausible_high", Quantity, "Upper end.", null=True),
    *versions("dim_metric", "metric_key", "metric_code"),
    comment="One row per version of a metric: the image of the catalogue, cut by when it was seen so. An observation "
    "has the version of the catalogue that it was loaded with, a chosen value the current one.",
)

dim_rule = Table(
    "dim_rule",
    metadata,
    key_column("rule_key", "Hash of rule_id."),
    field("rule_id", String, "Rule in the catalogue."),
    field("kind", String, "`sum_equal`, `ratio`, `subset_le`, …"),
    field("formula", Text, "The rule over metric codes."),
    field("name_zh", String, "Name.", null=True),
    field("name_en", String, "Name in English.", null=True),
    field("notes", Text, "Exceptions.", null=True),
    UniqueConstraint("rule_id"),
    comment="One row per validation rule of the catalogue.",
)

document_text = Table(
    "document_text",
    metadata,
    key_column("text_key", "Hash of document_id and text_hash."),
    field("document_id", String, "The document."),
    field("text_hash", String, "SHA-256 of the text."),
    field("text", Text, "What was parsed; every span counts its code points."),
    field(
        "text_origin",
        String,
        "`page`, or `attachment` where `text` holds that of a file (what the page says may stand before it).",
    ),
    field("body", Text, "Body of the page; NULL where it equals `text`.", null=True),
    field("attachment_text", Text, "Text of the attachments; NULL where it equals `text`.", null=True),
    field(
        "text_map",
        LargeBinary,
        "Map from the text back to the nodes of the page, or to `<URL>#page=3` of a file: JSON, zlib.",
        null=True,
        audit=True,
    ),
    UniqueConstraint("document_id", "text_hash"),
    comment="One row per document and normalised text.",
)

dim_document = Table(
    "dim_document",
    metadata,
    key_column("document_key", "Hash of document_id, text_hash and occurrence."),
    field("document_id", String, "Canonical URL without scheme: the identity of the document.", index=True),
    field("text_hash", String, "Identity of the text; the same at two addresses is one text.", index=True),
    field("occurrence", Integer, "1; n where the document returned to this text for the n-th time."),
    reference("text_key", "document_text.text_key", "The text.", index=True),
    field("version_no", Integer, "1, 2, … in the order in which the texts were seen."),
    moment("valid_from", "First version: publication; later: first seen.", null=True),
    moment("valid_to", "Start of the next version; NULL for the current one.", null=True),
    field("is_current", Boolean, "The last version."),
    field("is_counted", Boolean, "Current, and the first address of its text: its figures count."),
    field("is_gone", Boolean, "The address answers no more. The figures stay."),
    field("same_text_as", String, "document_id that carries the same text and is counted instead.", null=True),
    field("url", String, "Address as fetched."),
    field("title", Text, "Title.", null=True),
    field("published_at", String, "Publication as stated: ISO 8601, +08:00, or a bare date.", null=True),
    reference("published_date_key", "dim_date.date_key", "Day of publication (China time)."),
    field("published_from", String, "Where the date comes from: meta, label, list, url.", null=True),
    field("content_source", Text, "内容来源 as stated.", null=True),
    field("publisher", Text, "发布机构 as stated.", null=True),
    reference("publisher_key", "dim_agency.agency_key", "The publisher."),
    field("index_no", String, "索引号.", null=True),
    field("document_no", String, "文号.", null=True),
    field("site_id_code", String, "网站标识码.", null=True),
    reference("source_key", "dim_source.source_key", "Source that found it."),
    reference("region_key", "dim_region.region_key", "Region that it speaks of."),
    field(
        "region_rule",
        String,
        "Rule that found the region: given, index_no, title_path, source, unique_name, ambiguous or unknown.",
    ),
    field("region_words", Text, "The words or the code that were the evidence.", null=True),
    field("region_confidence", String, "`high`, `medium`, `low` or `none`."),
    reference("agency_key", "dim_agency.agency_key", "Body that reports; -2: the region's government."),
    field("agency_rule", String, "Rule that found the body: given, title, publisher, none or not_a_report."),
    field("agency_words", Text, "The words that were the evidence.", null=True),
    field("agency_confidence", String, "`high`, `medium`, `low` or `none`."),
    field("is_report", Boolean, "A yearly report on rule-of-law government."),
    field("report_year", Integer, "Year reported on.", null=True),
    field("is_parsed", Boolean, "Its figures were read."),
    field("attachments", Text, "JSON list of [URL, name]."),
    field("notes", Text, "JSON list of issue codes met while reading.", audit=True),
    field("n_removed_links", Integer, "Injected or hidden links taken out.", audit=True),
    field(
        "removed",
        Text,
        "JSON list of [position in the text or -1, `hidden` or `spam_link`, words, address]: taken out, at most 100.",
        audit=True,
    ),
    field("bytes_hash", String, "Hash of the bytes it was first read from.", audit=True),
    field("snapshot_file", String, "Archive file of those bytes.", null=True, audit=True, compared=True),
    field("snapshot_offset", Integer, "Where in the file.", null=True, audit=True, compared=True),
    field("snapshot_length", Integer, "How long.", null=True, audit=True, compared=True),
    reference("load_key", "dim_load.load_key", "Load that brought the version.", audit=True),
    UniqueConstraint("document_id", "text_hash", "occurrence"),
    comment="One row per version of a document's normalised text; half-open [valid_from, valid_to).",
)

DIMENSIONS = (
    dim_load,
    dim_date,
    dim_period,
    dim_region,
    dim_agency,
    dim_source,
    dim_unit,
    dim_metric,
    dim_rule,
    document_text,
    dim_document,
)
WITH_HISTORY = (dim_region, dim_source, dim_metric)
"""Dimensions with versions beside `dim_document`, which has its own."""
