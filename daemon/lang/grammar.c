/* All maps of the language, and the words that say what stands in them. */
#include "lang/grammar.h"

#include <string.h>

static const struct map_def maps[] = {
    {.name = "workflow", .keys = &workflow_table},
    {.name = "fragment", .keys = &fragment_table},
    {.name = "title", .keys = &titles_table, .alone = "text"},
    {.name = "parameter", .keys = &parameter_table},
    {.name = "version", .keys = &version_table},
    {.name = "constant", .keys = &constant_table},
    {.name = "table", .keys = &table_table},
    {.name = "load check", .keys = &load_check_table},
    {.name = "roster check", .keys = &roster_check_table},
    {.name = "defaults", .keys = &defaults_table},
    {.name = "event", .keys = &event_table},
    {.name = "refusal", .keys = &refusal_table},
    {.name = "indicator", .keys = &indicator_table},
    {.name = "ranking", .keys = &ranking_table},
    {.name = "tally", .keys = &tally_table},
    {.name = "item", .keys = &item_table},
    {.name = "credit", .keys = &credit_table},
    {.name = "occasion", .keys = &occasion_table},
    {.name = "obligation", .keys = &obligation_table},
    {.name = "recurrence", .keys = &recurrence_table},
    {.name = "filing", .keys = &filing_table},
    {.name = "document", .keys = &document_table},
    {.name = "measure", .keys = &measure_table},
    {.name = "ledger", .keys = &ledger_table},
    {.name = "row event",
     .keys = &row_event_table,
     .alone = "EVENT where CONDITION",
     .other = {{"PART", NULL, "expression",
                "a part of the ledger's key, over the event; `any`: whatever it is"}}},
    {.name = "machine", .keys = &machine_table},
    {.name = "count", .keys = &count_table},
    {.name = "variable", .keys = &variable_table, .alone = "type"},
    {.name = "state", .keys = &state_table},
    {.name = "group", .keys = &group_table},
    {.name = "timer", .keys = &timer_table, .alone = "phrase"},
    {.name = "rule", .keys = &rule_table},
    {.name = "set", .keys = &set_table},
    {.name = "clear", .keys = &clear_table},
    {.name = "issue", .keys = &issue_table},
    {.name = "raise",
     .keys = &raise_table,
     .other =
         {{"FIELD", NULL, "expression",
           "of the event; without any it carries the key (of a task: unit, obligation, about, period)"}}},
    {.name = "arm", .keys = &arm_table},
    {.name = "cancel", .keys = &cancel_table},
    {.name = "limit", .keys = &limit_table},
    {.name = "score", .keys = &score_table},
    {.name = "task", .keys = &task_table},
    {.name = "list type",
     .other = {{"list of", "^(optional )?list of$", "row type",
                "a list of what this names; of maps: `{list of: {unit: unit, points: number}}`"}}},
};

#define NUMBERED "[0-9]{1,5}"
static const struct shape_def shapes[] = {
    {.name = "action", .is = "set or clear or issue or raise or arm or cancel or limit or score or task"},
    {.name = "reach", .is = "expression or map of expression"},
    {.name = "type", .is = "TYPE or list type"},
    {.name = "row type", .is = "TYPE or list type or map of type"},
    {.name = "row events", .is = "row event or list"},

    {.name = "id", .pattern = "^[a-z0-9][a-z0-9-]{0,63}$"},
    {.name = "name", .pattern = "^[^\\x00-@\\[-`{-\\x7f][^\\x00-,./:-@\\[-`{-\\x7f]*$"},
    {.name = "role", .pattern = "^[^\\s]+$"},
    {.name = "field", .pattern = "^[^\\s]+$"},
    {.name = "event name"},
    {.name = "EVENT where CONDITION"},
    {.name = "text", .number = true},
    {.name = "article", .number = true},
    {.name = "value", .number = true},
    {.name = "written number", .number = true},
    {.name = "expression", .number = true},
    {.name = "number expression", .number = true},
    {.name = "condition", .number = true},
    {.name = "text expression"},
    {.name = "period expression"},
    {.name = "units"},
    {.name = "addressee"},
    {.name = "phrase"},
    {.name = "TYPE", .pattern = "^[^{}]+$"},
    {.name = "file"},
    {.name = "CSV file", .pattern = "\\.csv$"},
    {.name = "IANA zone", .pattern = "^[A-Za-z0-9_+/-]+$"},
    {.name = "none", .pattern = "^none$"},
    {.name = "yes-no", .pattern = "^(yes|no)$"},
    {.name = "kept", .pattern = "^kept$"},
    {.name = "case", .pattern = "^case$"},
    {.name = "competition", .pattern = "^competition$"},
    {.name = "date", .pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    {.name = "day", .pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    {.name = "moment", .pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2})?$"},
    {.name = "duration", .pattern = "^" NUMBERED "(mo|m|h|d|w|wd| workdays?)$"},
    {.name = "period",
     .pattern = "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?|-W[0-9]{2}|Q[1-4]|H[12])?$",
     .number = true},
    {.name = "period kind", .pattern = "^(day|week|month|quarter|half|year)$"},
    {.name = "FIRST/LAST of days",
     .pattern = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?/([0-9]{4}-[0-9]{2}-[0-9]{2})?$"},
    {.name = "FIRST/LAST of periods", .pattern = "^[^/]*/[^/]*$"},
    {.name = "due rule",
     .pattern = "^(none|(day " NUMBERED "|last day|workday " NUMBERED "|last workday|first week|last week)"
                "( of (first month|last month|next (day|week|month|quarter|half|year)))?"
                "|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|周[一二三四五六日])$"},
    {.name = "date expression", .pattern = "event\\.| after | before "},
    {.name = "RRULE", .pattern = "FREQ="},
    {.name = "target", .pattern = "^(≥|≤|>=|<=|>|<|=)"},
    {.name = "by ROLE", .pattern = "^by "},
    {.name = "TALLY.total, ORDER", .pattern = "^[^.]+\\.total *(, *(highest|lowest) first)?$"},
    {.name = "TALLY.ITEM"},
    {.name = "MARK〔year〕n…", .pattern = "^.+〔year〕n"},
};

const struct grammar workflow_grammar = {maps, sizeof maps / sizeof *maps, shapes,
                                         sizeof shapes / sizeof *shapes, NULL};

static bool named(const char *have, const char *name, size_t n)
{
    return strlen(have) == n && memcmp(have, name, n) == 0;
}

const struct map_def *grammar_map(const struct grammar *g, const char *name, size_t n)
{
    for (size_t i = 0; i < g->nmaps; i++)
        if (named(g->map[i].name, name, n))
            return &g->map[i];
    return NULL;
}

const struct shape_def *grammar_shape(const struct grammar *g, const char *name, size_t n)
{
    for (size_t i = 0; i < g->nshapes; i++)
        if (named(g->shape[i].name, name, n))
            return &g->shape[i];
    return g->base ? grammar_shape(g->base, name, n) : NULL;
}
