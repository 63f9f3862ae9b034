/* All maps of a scenario. */
#include "ctl/scenario_grammar.h"

#define TIME "[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
#define CORRECTION "see corrections; of what fits all that is named"

/* Events with a short hand of their own; a test compares them with the forms that are read. */
static const struct key_def event_keys[] = {
    {"submit", YAML_MAP, false, "submission", NULL, "a report is filed"},
    {"accept", YAML_MAP, false, "review", NULL, "it is accepted"},
    {"return", YAML_MAP, false, "review", NULL, "it is returned"},
    {"reading", YAML_MAP, false, "reading", NULL, "an indicator is reported"},
    {"directive", YAML_MAP, false, "directive", NULL, "somebody is told to do something"},
    {"extension-requested", YAML_MAP, false, "request", NULL, "more time is asked for"},
    {"extend", YAML_MAP, false, "correction", NULL, CORRECTION},
    {"waive", YAML_MAP, false, "correction", NULL, CORRECTION},
    {"pause", YAML_MAP, false, "correction", NULL, CORRECTION},
    {"resume", YAML_MAP, false, "correction", NULL, CORRECTION},
    {"excuse", YAML_MAP, false, "correction", NULL, CORRECTION},
    {"annul", YAML_MAP, false, "annulment", NULL, "a record, or a measure, was wrong"},
    {"supersede", YAML_MAP, false, "replacement", NULL, "another stands in a record's place"},
    {"late", YAML_MAP, false, "late", NULL, "a record arrives late"},
    {"decide", YAML_MAP, false, "decision", NULL, "about a measure that is proposed"},
    {"roster", YAML_MAP, false, "roster", NULL, "units and relations change"},
};
static const struct key_table event_table_ = KEY_TABLE(event_keys);

static const struct map_def maps[] = {
    {.name = "scenario", .keys = &scenario_table},
    {.name = "step",
     .keys = &scenario_step_table,
     .other = {{"TIME", "^" TIME "$", "event or list",
                "received then: `2024-03-29` (00:00), `2024-03-29 09:00`, up to `24:00`"},
               {"until TIME", "^until " TIME "$", "checks",
                "nothing comes in, time runs on; `[]` for no checks"}}},
    {.name = "check", .keys = &scenario_step_table},
    {.name = "timed", .other = {{"TIME", "^" TIME "$", "event or list", "before the first step"}}},
    {.name = "record",
     .keys = &event_table_,
     .other = {{"KIND", NULL, "map of anything",
                "a declared event: its fields, and `by`, which may be left out when one unit alone holds "
                "the first role that may report it"}}},
    {.name = "publication", .keys = &scenario_publication_table},
    {.name = "issued", .keys = &scenario_issued_table},
    {.name = "rejected", .keys = &scenario_rejected_table},
    {.name = "warned", .keys = &scenario_warned_table},
    {.name = "instance",
     .keys = &scenario_instance_table,
     .other = {{"NAME", NULL, "value", "a part of the key, a variable or a count"}}},
    {.name = "due", .keys = &scenario_due_table},
    {.name = "scored", .keys = &scenario_scored_table},
    {.name = "submission", .keys = &scenario_submission_table},
    {.name = "review", .keys = &scenario_review_table},
    {.name = "reading", .keys = &scenario_reading_table},
    {.name = "directive", .keys = &scenario_directive_table},
    {.name = "request", .keys = &scenario_request_table},
    {.name = "correction", .keys = &scenario_correction_table},
    {.name = "annulment", .keys = &scenario_annulment_table},
    {.name = "replacement", .keys = &scenario_replacement_table},
    {.name = "late", .keys = &scenario_late_table},
    {.name = "decision", .keys = &scenario_decision_table},
    {.name = "roster", .keys = &scenario_roster_table},
    {.name = "new unit", .keys = &scenario_new_unit_table},
    {.name = "relation", .keys = &scenario_relation_table},
    {.name = "succession", .keys = &scenario_succession_table},
};

static const struct shape_def shapes[] = {
    {.name = "given", .is = "timed or event"},
    {.name = "event", .is = "publication or record"},
    {.name = "checks", .is = "check or list or nothing"},
    {.name = "nothing"},
    {.name = "anything"},
    {.name = "unit", .pattern = "^[^\\s]+$", .number = true},
    {.name = "measure name"},
    {.name = "obligation name"},
    {.name = "level", .pattern = "^[a-z]+$"},
    {.name = "limit day", .pattern = "^(n/a|" TIME ")$"},
    {.name = "whole number", .pattern = "^[0-9]+$", .number = true},
    {.name = "RECORD", .pattern = "^([0-9]+ )?at " TIME "$"},
    {.name = "place", .pattern = "^[0-9]+( of [0-9]+)?( tied [0-9]+)?$", .number = true},
};

const struct grammar scenario_grammar = {maps, sizeof maps / sizeof *maps, shapes,
                                         sizeof shapes / sizeof *shapes, &workflow_grammar};
