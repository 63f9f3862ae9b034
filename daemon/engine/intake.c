#include "engine/intake.h"

#include "engine/definition.h"

static bool check_definition(const struct cloud_event *e, const struct input *in, struct arena *a,
                             struct reasons *why)
{
    struct wire_definition received;

    if (!wire_definition_from_input(e, a, &received, why))
        return false;
    struct definition *d = definition_compile(&received, in->actor, in->reason, why);
    definition_release(d);
    return d != NULL;
}

/* A fact's kind says by which topic it comes; what may come by either comes with the submissions. */
static bool check_kind(const struct program *p, const struct input *in, enum topic *topic,
                       struct reasons *why)
{
    int kind = program_kind(p, in->kind);

    if (kind < 0 || p->kinds[kind].class_ != KIND_CLASS_FACT) {
        reasons_add(why, "kind: workflow %.*s declares no event %.*s", SLICE_ARG(p->id), SLICE_ARG(in->kind));
        return false;
    }
    *topic = p->kinds[kind].voice == VOICE_DEADLINES ? TOPIC_DEADLINES : TOPIC_SUBMISSIONS;
    return true;
}

bool intake_topic(const struct program *p, const struct cloud_event *e, struct arena *a, struct input *in,
                  enum topic *topic, struct reasons *why)
{
    *in = (struct input){.received = INSTANT_NONE};
    if (!wire_input(e, a, in, why))
        return false;
    enum voice voice = wire_voice(in);
    *topic = voice == VOICE_DEADLINES ? TOPIC_DEADLINES : TOPIC_SUBMISSIONS;
    if (in->class_ == INPUT_CLOCK || in->class_ == INPUT_DEFINITION)
        return true;
    if (p == NULL) {
        reasons_add(why, "workflow: no workflow %.*s is in force", SLICE_ARG(e->workflow));
        return false;
    }
    return voice != VOICE_EITHER || check_kind(p, in, topic, why);
}

bool intake_place(const struct program *p, const struct cloud_event *e, struct arena *a, enum topic *topic,
                  struct reasons *why)
{
    struct input in = {.received = INSTANT_NONE};

    if (!wire_input(e, a, &in, why))
        return false;
    enum voice voice = wire_voice(&in);
    *topic = voice == VOICE_DEADLINES ? TOPIC_DEADLINES : TOPIC_SUBMISSIONS;
    if (in.class_ == INPUT_CLOCK || voice != VOICE_EITHER)
        return true;
    struct reasons unsure = {.arena = a};
    return p != NULL && check_kind(p, &in, topic, &unsure);
}

/* ---- A world that has nothing and notices when it is asked. What a turn refuses before it has asked
 * anything is wrong in every world. */

struct probe {
    bool asked;
};

static struct instance *probe_find(void *ctx, struct arena *a, int machine, const struct slice *key)
{
    (void)a;
    (void)machine;
    (void)key;
    ((struct probe *)ctx)->asked = true;
    return NULL;
}

static void probe_scan(void *ctx, struct arena *a, int machine, const struct slice *key, size_t nkey,
                       bool (*visit)(void *arg, struct instance *i), void *arg)
{
    (void)a;
    (void)machine;
    (void)key;
    (void)nkey;
    (void)visit;
    (void)arg;
    ((struct probe *)ctx)->asked = true;
}

static int64_t probe_last_number(void *ctx, struct slice series, int year)
{
    (void)series;
    (void)year;
    ((struct probe *)ctx)->asked = true;
    return 0;
}

static bool check_against(const struct program *p, const struct input *in, struct arena *a,
                          struct reasons *why)
{
    struct probe probe = {false};
    const struct world world = {
        .ctx = &probe, .find = probe_find, .scan = probe_scan, .last_number = probe_last_number};
    struct effects fx;

    step_input(p, &world, in, a, &fx);
    if (probe.asked || fx.verdict != VERDICT_REJECTED)
        return true;
    for (size_t i = 0; i < fx.nreasons; i++)
        reasons_add(why, "%.*s", SLICE_ARG(fx.reasons[i]));
    return false;
}

/* What can be mended is said of the event that it holds. */
static bool check_redrive(const struct program *p, const struct cloud_event *e, instant_t now, struct arena *a,
                          struct reasons *why)
{
    struct redriven held;
    struct input in = {.received = now};

    if (!wire_redriven(e, a, &held, why))
        return false;
    in.topic = held.topic == TOPIC_DEADLINES ? VOICE_DEADLINES : VOICE_SUBMISSIONS;
    return wire_input(&held.event, a, &in, why) && check_against(p, &in, a, why);
}

bool intake_check(const struct program *p, const struct cloud_event *e, instant_t now, struct arena *a,
                  enum topic *topic, struct reasons *why)
{
    struct input in;

    if (!intake_topic(p, e, a, &in, topic, why))
        return false;
    if (in.class_ == INPUT_CLOCK)
        return true;
    if (in.class_ == INPUT_DEFINITION)
        return check_definition(e, &in, a, why);
    if (in.class_ == INPUT_REDRIVE)
        return check_redrive(p, e, now, a, why);
    in.received = now;
    in.topic = *topic == TOPIC_DEADLINES ? VOICE_DEADLINES : VOICE_SUBMISSIONS;
    return check_against(p, &in, a, why);
}

struct record intake_record(const struct cloud_event *e, enum topic topic, struct arena *a)
{
    struct record r = {
        .topic = topic, .offset = -1, .appended = INSTANT_NONE, .key = e->workflow, .value = e->data};

    cloud_event_to_headers(e, a, &r.header, &r.nheaders);
    return r;
}
