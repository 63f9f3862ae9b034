/* What may be written in a scenario: tables of keys beside the code that reads them. */
#ifndef DUBAND_CTL_SCENARIO_GRAMMAR_H
#define DUBAND_CTL_SCENARIO_GRAMMAR_H

#include "lang/grammar.h"

extern const struct grammar scenario_grammar;

extern const struct key_table scenario_table, scenario_step_table, scenario_issued_table,
    scenario_rejected_table, scenario_warned_table, scenario_instance_table, scenario_due_table,
    scenario_scored_table, scenario_submission_table, scenario_review_table, scenario_publication_table,
    scenario_correction_table, scenario_request_table, scenario_annulment_table, scenario_replacement_table,
    scenario_late_table, scenario_decision_table, scenario_roster_table, scenario_new_unit_table,
    scenario_relation_table, scenario_succession_table, scenario_reading_table, scenario_directive_table;

#endif
