"""What pages ask often, laid out for it: a small database made once per release, beside it, from its files.

A release lies by year, so a region's or a metric's figures would be looked for in every year's files. Here the chosen
values lie twice, by region and by metric, with names in dimensions that fit into memory. Everything else (texts,
statements, mentions, checks) is read from the release, in the one part that holds the document asked for.
"""

from __future__ import annotations

import hashlib

_CURRENT = "key >= 0 AND is_current"

TABLES: dict[str, str] = {
    "region": f"""
        SELECT region_key, region_code, name_zh, name_en, level, province_zh, city_zh, is_sandbox,
               left(region_code, 2) AS province, left(region_code, 4) AS city
        FROM dim_region WHERE region_{_CURRENT} ORDER BY region_code""",
    "province": """
        SELECT province, max(name_en) FILTER (level = 'province') AS name_en,
               coalesce(max(name_zh) FILTER (level = 'province'), any_value(province_zh), province) AS name_zh
        FROM ix.region GROUP BY province ORDER BY province""",
    "metric": f"""
        SELECT m.metric_key, m.metric_code, m.name_zh, m.name_en, m.section, m.tier, m.definition, m.kind, m.measure,
               m.additivity, m.part_of, m.plausible_low, m.plausible_high, u.unit_code, u.written_zh,
               u.meaning AS unit_meaning, row_number() OVER (ORDER BY m.metric_code)::SMALLINT AS metric_no
        FROM dim_metric m JOIN dim_unit u USING (unit_key) WHERE m.metric_{_CURRENT} ORDER BY m.metric_code""",
    "metric_version": "SELECT metric_key, current_key FROM dim_metric ORDER BY metric_key",
    "agency": "SELECT agency_key, name_zh FROM dim_agency WHERE agency_key >= 0 ORDER BY agency_key",
    "load": """
        SELECT load_key, run_id, source_id, started_at, published_at, n_inserted, n_updated, n_deleted, n_quarantined,
               code_version, catalogue_version, extractor_version, data_tests
        FROM dim_load WHERE load_key >= 0 ORDER BY published_at DESC, source_id""",
    "removed": """
        SELECT document_key, removed FROM dim_document WHERE document_key >= 0 AND removed <> '[]'
        ORDER BY document_key""",
    "document": """
        SELECT d.document_key, d.document_id, d.version_no, d.is_current, d.is_counted, d.is_gone, d.is_report,
               d.is_parsed, d.same_text_as, d.url, d.title, d.published_at, d.published_date_key, d.publisher,
               d.index_no, d.document_no, d.report_year, d.text_key, d.attachments, d.notes, d.n_removed_links,
               d.snapshot_file, d.snapshot_offset, d.snapshot_length, d.bytes_hash,
               d.load_key, d.region_rule, d.region_confidence,
               r.region_code, s.source_id, s.name_zh AS source_zh, s.name_en AS source_en, a.name_zh AS agency_zh,
               coalesce(d.report_year, nullif(greatest(d.published_date_key, 0) // 10000, 0)) AS part_year
        FROM dim_document d
        JOIN dim_region v ON v.region_key = d.region_key JOIN dim_region r ON r.region_key = v.current_key
        JOIN dim_source s ON s.source_key = d.source_key
        LEFT JOIN dim_agency a ON a.agency_key = d.agency_key AND a.agency_key >= 0
        WHERE d.document_key >= 0 ORDER BY d.document_key""",
    "report": """
        SELECT region_code, report_year, published_date_key, document_key, title, agency_zh, source_id, is_counted,
               is_current, document_id
        FROM ix.document WHERE is_report ORDER BY region_code, report_year DESC, document_key""",
    "report_year": "SELECT DISTINCT report_year AS year FROM ix.report WHERE report_year > 0 ORDER BY 1 DESC",
    "cell": """
        SELECT r.region_code, m.metric_code, p.year, p.period_id, v.basis, v.scope, v.dimension, v.agency_key,
               v.value_num::DOUBLE AS value, v.qualifier, v.status, v.chosen_by, v.n_statements, v.is_disputed,
               v.observation_key, v.document_key,
               v.agency_key = -2 AND v.scope = '' AND v.dimension = '' AND v.basis = 'period'
                 AND p.period_id = p.year::VARCHAR AS is_main
        FROM fact_metric_value v
        JOIN dim_region rv ON rv.region_key = v.region_key JOIN dim_region r ON r.region_key = rv.current_key
        JOIN dim_metric mv ON mv.metric_key = v.metric_key JOIN dim_metric m ON m.metric_key = mv.current_key
        JOIN dim_period p USING (period_key)
        ORDER BY is_main DESC, r.region_code, m.metric_code, p.year""",
    "mark": """
        SELECT m.metric_no, c.metric_code, c.year, c.region_code, c.value, c.qualifier, c.status, c.chosen_by,
               c.is_disputed, c.observation_key, c.document_key
        FROM ix.cell c JOIN ix.metric m USING (metric_code) WHERE c.is_main
        ORDER BY m.metric_no, c.year, c.region_code""",
    "metric_year": """
        SELECT c.metric_code, r.level, c.year, count(*) AS regions, median(c.value) AS median,
               quantile_cont(c.value, 0.25) AS q1, quantile_cont(c.value, 0.75) AS q3
        FROM ix.mark c JOIN ix.region r USING (region_code)
        WHERE c.chosen_by IN ('final', 'later_report') GROUP BY ALL ORDER BY ALL""",
    "metric_stats": """
        SELECT metric_code, count(*) AS n_values, count(DISTINCT region_code) AS n_regions, min(year) AS first_year,
               max(year) AS last_year, count(*) FILTER (is_disputed) AS n_disputed
        FROM ix.mark GROUP BY ALL ORDER BY ALL""",
    "metric_count": """
        SELECT c.metric_code, c.year, r.level, r.province, count(*) AS n
        FROM ix.mark c JOIN ix.region r USING (region_code) GROUP BY ALL ORDER BY ALL""",
    "coverage": """
        SELECT region_code, year, sum(n_reports)::INT AS reports, bool_and(is_gap) AS is_gap
        FROM mart_coverage WHERE agency_zh IS NULL GROUP BY ALL ORDER BY ALL""",
    "failed": """
        SELECT f.check_key, f.region_code, f.region_zh, g.name_en AS region_en,
               f.agency_zh, f.rule_id, f.rule_kind, f.period_id,
               f.verdict, f.is_explained, f.expected::DOUBLE AS expected, f.actual::DOUBLE AS actual, f.formula,
               f.message_zh, f.message_en, f.title, c.document_key, d.source_id, d.report_year,
               coalesce(d.report_year, try_cast(left(f.period_id, 4) AS INT)) AS year
        FROM mart_failed_checks f
        JOIN (SELECT check_key, document_key FROM fact_check WHERE verdict IN ('fails', 'truncated', 'differs')) c
          USING (check_key)
        LEFT JOIN ix.document d USING (document_key)
        LEFT JOIN ix.region g ON g.region_code = f.region_code
        ORDER BY f.region_code, year DESC NULLS LAST, f.rule_id, f.check_key""",
    "across": """
        SELECT f.check_key, f.verdict, f.is_explained, f.expected, f.actual, f.formula, f.message_zh, f.message_en,
               f.rule_id, f.rule_kind AS kind, f.region_code, f.year
        FROM ix.failed f WHERE f.document_key < 0 ORDER BY f.region_code, f.check_key""",
    "newest_failed": """
        SELECT * FROM ix.failed WHERE verdict = 'fails'
        ORDER BY year DESC NULLS LAST, region_code, rule_id, check_key LIMIT 20""",
    "restated": """
        WITH stated AS (
          SELECT any_value(region_code) AS region_code, any_value(region_zh) AS region_zh,
                 any_value(agency_zh) AS agency_zh, any_value(metric_code) AS metric_code,
                 any_value(metric_zh) AS metric_zh, any_value(metric_en) AS metric_en,
                 any_value(period_id) AS period_id, any_value(scope) AS scope, any_value(dimension) AS dimension,
                 any_value(unit_code) AS unit_code, any_value(chosen_value)::DOUBLE AS chosen,
                 bool_or(is_disputed) AS is_disputed,
                 list({'value': value_num::DOUBLE, 'report_year': report_year, 'key': observation_key,
                       'is_chosen': is_chosen, 'published': published_at}
                      ORDER BY published_at, observation_key) AS statements,
                 max(published_at) AS last_published, value_key, list_sort(list(DISTINCT s.source_id)) AS source_ids
          FROM mart_restatements JOIN (SELECT DISTINCT url, source_id FROM ix.document) s USING (url)
          GROUP BY value_key)
        SELECT stated.*, g.name_en AS region_en, try_cast(left(period_id, 4) AS INT) AS year FROM stated
        LEFT JOIN ix.region g USING (region_code)
        ORDER BY last_published DESC NULLS LAST, value_key""",
    "damaged": """
        SELECT o.observation_key, o.document_key, d.region_code, d.report_year AS year, d.source_id, m.metric_code,
               m.name_zh AS metric_zh, m.name_en AS metric_en, o.value_text, o.quote
        FROM fact_observation o JOIN ix.document d USING (document_key)
        JOIN dim_metric m USING (metric_key)
        WHERE o.is_damaged AND d.is_counted ORDER BY year DESC NULLS LAST, o.observation_key""",
    "spam": """
        SELECT document_key, region_code, coalesce(report_year, part_year) AS year, source_id, title, notes,
               n_removed_links, removed
        FROM ix.document LEFT JOIN ix.removed USING (document_key)
        WHERE is_current AND (n_removed_links > 0 OR contains(notes, 'spam'))
        ORDER BY year DESC NULLS LAST, document_key""",
    "period": "SELECT period_key, period_id, year FROM dim_period ORDER BY period_key",
    "rule": """
        SELECT rule_key, rule_id, kind, formula, name_zh, name_en, notes FROM dim_rule WHERE rule_key >= 0
        ORDER BY rule_id""",
    "verdict": """
        SELECT r.rule_id, c.verdict, count(*) AS n FROM fact_check c JOIN dim_rule r USING (rule_key)
        GROUP BY ALL ORDER BY ALL""",
    "source": f"""
        SELECT source_id, name_zh, name_en, engine, rhythm, is_sandbox FROM dim_source
        WHERE source_{_CURRENT} ORDER BY source_id""",
    "totals": """
        SELECT (SELECT count(*) FROM ix.source) AS sources,
               (SELECT count(*) FROM ix.document WHERE is_current) AS documents,
               (SELECT count(*) FROM ix.report WHERE is_counted) AS reports,
               (SELECT count(DISTINCT region_code) FROM ix.report WHERE is_counted) AS regions,
               (SELECT count(DISTINCT report_year) FROM ix.report WHERE is_counted) AS years,
               (SELECT count(*) FROM fact_observation) AS observations,
               (SELECT count(*) FROM ix.cell) AS vals,
               (SELECT count(*) FROM ix.cell WHERE is_disputed) AS disputed""",
}
"""Table to select, in the order in which they are made; `ix` is the index itself, the rest the release's views."""

NOTHING_REMOVED = "SELECT document_key, '' AS removed FROM dim_document WHERE false"
"""In the place of `removed`, of releases that do not tell it."""

LAYOUT = hashlib.sha256("".join(TABLES.values()).encode()).hexdigest()[:8]
"""An index of another layout is made anew."""
