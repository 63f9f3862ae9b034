#include "ctl/test_report.h"

#include <errno.h>

/* ---- for people */

static const char *colour(const struct test_report *r, const char *code)
{
    return ctl_colours(stdout) && !r->call->json ? code : "";
}

static void print_failure(const struct test_report *r, const struct scenario *s, const struct failure *f)
{
    printf("%.*s:%d:%d: %s%.*s%s\n", SLICE_ARG(s->file->shown), f->at->line, f->at->column,
           colour(r, "\033[1m"), SLICE_ARG(s->title), colour(r, "\033[0m"));
    printf("  expected  %.*s\n", SLICE_ARG(f->expected));
    for (size_t i = 0; i < f->n; i++)
        printf("  %s  %.*s\n", i ? "        " : "happened", SLICE_ARG(f->happened[i]));
}

static void print_scenario(const struct test_report *r, const struct scenario_run *run, double ms)
{
    for (size_t i = 0; i < run->nfailures; i++)
        print_failure(r, run->s, &run->failures[i]);
    if (r->verbose || run->nfailures)
        printf("%s%s%s  %.*s  (%.*s, %.1f ms)\n", colour(r, run->nfailures ? "\033[31m" : "\033[32m"),
               run->nfailures ? "FAILED" : "passed", colour(r, "\033[0m"), SLICE_ARG(run->s->title),
               SLICE_ARG(run->s->file->shown), ms);
}

/* ---- JSON lines */

static json_t *failure_json(const struct scenario *s, const struct failure *f)
{
    json_t *o = json_object(), *happened = json_array();
    json_object_set_new(o, "file", json_text(s->file->shown));
    json_object_set_new(o, "line", json_integer(f->at->line));
    json_object_set_new(o, "column", json_integer(f->at->column));
    json_object_set_new(o, "expected", json_text(f->expected));
    for (size_t i = 0; i < f->n; i++)
        json_array_append_new(happened, json_text(f->happened[i]));
    json_object_set_new(o, "happened", happened);
    return o;
}

static void json_scenario(struct slice workflow, const struct scenario_run *run, double ms)
{
    json_t *o = json_object(), *covers = json_array(), *failures = json_array();
    json_object_set_new(o, "workflow", json_text(workflow));
    json_object_set_new(o, "scenario", json_text(run->s->title));
    json_object_set_new(o, "file", json_text(run->s->file->shown));
    json_object_set_new(o, "passed", json_boolean(!run->nfailures));
    for (size_t i = 0; i < run->s->ncovers; i++)
        json_array_append_new(covers, json_text(run->s->covers[i]));
    for (size_t i = 0; i < run->nfailures; i++)
        json_array_append_new(failures, failure_json(run->s, &run->failures[i]));
    json_object_set_new(o, "covers", covers);
    json_object_set_new(o, "failures", failures);
    json_object_set_new(o, "milliseconds", json_integer((json_int_t)(ms + 0.5)));
    json_print(stdout, o);
}

/* ---- JUnit */

static void xml_text(struct buf *b, struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '<' || c == '>' || c == '&' || c == '"')
            buf_printf(b, "&#%d;", c);
        else if (c >= 0x20 || c == '\n')
            buf_byte(b, c);
    }
}

static void junit_case(struct buf *b, struct slice workflow, const struct bundle_file *file,
                       struct slice title, double ms)
{
    buf_printf(b, "  <testcase classname=\"");
    xml_text(b, workflow);
    buf_printf(b, "\" name=\"");
    xml_text(b, title);
    buf_printf(b, "\" file=\"");
    xml_text(b, file->shown);
    buf_printf(b, "\" time=\"%.3f\">\n", ms / 1000);
}

static void junit_failure(struct buf *b, const struct failure *f)
{
    buf_printf(b, "    <failure message=\"line %d: expected ", f->at->line);
    xml_text(b, f->expected);
    buf_printf(b, "\">");
    for (size_t i = 0; i < f->n; i++) {
        xml_text(b, f->happened[i]);
        buf_byte(b, '\n');
    }
    buf_printf(b, "</failure>\n");
}

/* ---- the calls */

void report_scenario(struct test_report *r, struct slice workflow, const struct scenario_run *run, double ms)
{
    r->passed += !run->nfailures;
    r->failed += run->nfailures != 0;
    junit_case(&r->junit, workflow, run->s->file, run->s->title, ms);
    for (size_t i = 0; i < run->nfailures; i++)
        junit_failure(&r->junit, &run->failures[i]);
    buf_printf(&r->junit, "  </testcase>\n");
    if (r->call->json)
        json_scenario(workflow, run, ms);
    else
        print_scenario(r, run, ms);
}

void report_unreadable(struct test_report *r, struct slice workflow, const struct bundle_file *file)
{
    r->failed++;
    junit_case(&r->junit, workflow, file, file->shown, 0);
    buf_printf(&r->junit, "    <failure message=\"this scenario cannot be read\"/>\n  </testcase>\n");
    if (r->call->json)
        json_print(stdout, json_pack("{s:o, s:o, s:b, s:[]}", "workflow", json_text(workflow), "file",
                                     json_text(file->shown), "passed", 0, "failures"));
}

static void json_coverage(struct slice workflow, const struct coverage *c)
{
    json_t *o = json_object(), *articles = json_array();
    size_t covered, listed;
    coverage_articles(c, &covered, &listed);
    json_t *unnamed = json_array(), *silent = json_object();
    for (size_t i = 0; i < c->narticles; i++) {
        const struct covered_article *x = &c->article[i];
        if (x->reached)
            json_array_append_new(articles, json_text(x->name));
        else if (!x->silent.n)
            json_array_append_new(unnamed, json_text(x->name));
        else
            json_object_setn_new(silent, x->name.p, x->name.n, json_text(x->silent));
    }
    json_object_set_new(o, "articles",
                        json_pack("{s:I, s:I, s:b, s:o, s:o, s:o}", "reached", (json_int_t)covered, "all",
                                  (json_int_t)listed, "listed", c->articles_known, "named", articles,
                                  "silent", silent, "unreached", unnamed));
    for (int sort = 0; sort < COVERED_SORTS; sort++) {
        size_t reached, all;
        json_t *missing = json_array();
        coverage_count(c, (enum covered)sort, &reached, &all);
        for (size_t i = 0; i < c->n; i++)
            if (c->item[i].sort == (enum covered)sort && !c->item[i].reached)
                json_array_append_new(missing, json_text(c->item[i].name));
        json_object_set_new(o, covered_names[sort],
                            json_pack("{s:I, s:I, s:o}", "reached", (json_int_t)reached, "all",
                                      (json_int_t)all, "unreached", missing));
    }
    json_print(stdout, json_pack("{s:o, s:o}", "workflow", json_text(workflow), "coverage", o));
}

void report_coverage(struct test_report *r, struct slice workflow, const struct coverage *c)
{
    if (r->call->json) {
        json_coverage(workflow, c);
        return;
    }
    size_t covered, listed;
    coverage_articles(c, &covered, &listed);
    printf("%.*s: ", SLICE_ARG(workflow));
    if (c->articles_known) /* without the list nobody knows of how many */
        printf("%zu of %zu articles covered (%zu %%)", covered, listed,
               listed ? covered * 100 / listed : 100);
    else
        printf("%zu articles", listed);
    for (int sort = 0; sort < COVERED_SORTS; sort++) {
        size_t reached, all;
        coverage_count(c, (enum covered)sort, &reached, &all);
        printf(", %zu of %zu %s", reached, all, covered_names[sort]);
    }
    printf(" reached\n");
    for (size_t i = 0; r->verbose && i < c->narticles; i++)
        if (!c->article[i].reached)
            printf("  %s: article %.*s%s%.*s\n", c->article[i].silent.n ? "silent" : "not covered",
                   SLICE_ARG(c->article[i].name), c->article[i].silent.n ? ": " : "",
                   SLICE_ARG(c->article[i].silent));
    for (size_t i = 0; r->verbose && i < c->n; i++)
        if (!c->item[i].reached)
            printf("  not reached: %s %.*s\n", covered_names[c->item[i].sort], SLICE_ARG(c->item[i].name));
}

bool report_end(struct test_report *r, const char *junit_path)
{
    if (!r->call->json)
        printf("%zu passed, %zu failed\n", r->passed, r->failed);
    if (!junit_path)
        return true;
    FILE *f = fopen(junit_path, "w");
    bool ok = f != NULL;
    if (f) {
        fprintf(f,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"dubanctl test\" tests=\"%zu\" "
                "failures=\"%zu\">\n%.*s</testsuite>\n",
                r->passed + r->failed, r->failed, SLICE_ARG(buf_slice(&r->junit)));
        ok = !ferror(f);
        ok = fclose(f) == 0 && ok;
    }
    if (!ok)
        ctl_fail(r->call, CTL_COULD_NOT, "--junit %s: %s", junit_path, strerror(errno));
    return ok;
}
