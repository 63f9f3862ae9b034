/* The server's inside: what the files of this folder share. */
#ifndef DUBAND_HTTP_STATE_H
#define DUBAND_HTTP_STATE_H

#include "http/connection.h"

struct event_base *server_base(const struct server *s);
struct node *server_node(const struct server *s);
bool server_events_time(const struct server *s);
bool server_is_published(const struct server *s);
uint64_t
server_commits(const struct server *s); /* how often a commit was signalled: a version of what can be read */

void server_forget(struct server *s, struct connection *c);
void server_wait(struct exchange *x); /* into the list of those that look after a commit */
void server_unwait(struct exchange *x);

/* ---- counts, for metrics */
void server_count_request(struct server *s);
void server_count_reply(struct server *s, int status);
struct server_counts {
    uint64_t requests, replies[6]; /* by the first digit of the status */
    size_t connections, waiting;
};
void server_counts(const struct server *s, struct server_counts *out);

/* ---- appends come back on other threads: what is given to server_hand_over is called with `ctx` on the
 * server's thread */
struct handed {
    struct handed *next;
    void (*take)(struct handed *h);
};
void server_hand_over(struct server *s, struct handed *h);

/* ---- accepted.c: events accepted here of which no effect has been seen yet; the last thousands of them */
struct accepted;
struct accepted *accepted_new(void);
void accepted_free(struct accepted *a);
void accepted_add(struct accepted *a, struct slice source, struct slice id, struct slice workflow);
/* Its workflow, or as much of it as was kept; empty: not accepted here. */
struct slice accepted_workflow(const struct accepted *a, struct slice source, struct slice id);
struct accepted *server_accepted(const struct server *s);

/* ---- elsewhere.c */
/* True: the workflow can be read here. Else the exchange is answered, now or soon: 421 with who serves it, or 503. */
bool exchange_serves(struct exchange *x, struct slice workflow);
void reply_elsewhere(struct exchange *x, struct slice workflow); /* that answer */
/* What can be read here; a reply that comes of it says when that is not all there is. */
#define PARTITIONS_HELD_MAX ((size_t)1024)
size_t exchange_partitions(struct exchange *x, int *partition);
/* node_read; the reply says how old what was read may be. */
struct store_txn *exchange_read(struct exchange *x, int partition, struct err *e);

/* ---- overview.c */
struct overview;
void overview_free(struct overview *o); /* NULL is fine */
struct overview **server_overview(struct server *s);

/* ---- handlers, one for each row of route.c's table */
void handle_post_event(struct exchange *x);
void handle_event(struct exchange *x);
void handle_topic(struct exchange *x);
void handle_tasks(struct exchange *x);
void handle_cases(struct exchange *x);
void handle_measures(struct exchange *x);
void handle_history(struct exchange *x);
void handle_workflows(struct exchange *x);
void handle_rejected(struct exchange *x);
void handle_letter(struct exchange *x);
void handle_scores(struct exchange *x);
void handle_proposals(struct exchange *x);
void handle_document(struct exchange *x);
void handle_units(struct exchange *x);
void handle_overview(struct exchange *x);
void handle_live(struct exchange *x);
void handle_accept_clock(struct exchange *x);
void handle_status(struct exchange *x);
void handle_healthz(struct exchange *x);
void handle_readyz(struct exchange *x);
void handle_metrics(struct exchange *x);
void handle_page(struct exchange *x);
void handle_asset(struct exchange *x);

#endif
