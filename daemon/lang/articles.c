/* The articles of the regime's text: what there is to cover, and what carries no behaviour. */
#include "lang/build.h"

static size_t bracket(const char *p, size_t n, char *out)
{
    if (n >= 3 && (!memcmp(p, "（", 3) || !memcmp(p, "）", 3))) {
        *out = memcmp(p, "（", 3) ? ')' : '(';
        return 3;
    }
    *out = *p;
    return 1;
}

bool article_same(struct slice a, struct slice b)
{
    while (a.n && b.n) {
        char x, y;
        size_t i = bracket(a.p, a.n, &x), k = bracket(b.p, b.n, &y);
        if (x != y)
            return false;
        a = (struct slice){a.p + i, a.n - i};
        b = (struct slice){b.p + k, b.n - k};
    }
    return !a.n && !b.n;
}

int program_article(const struct program *p, struct slice name)
{
    for (size_t i = 0; i < p->narticles; i++)
        if (article_same(p->articles[i].name, name))
            return (int)i;
    return -1;
}

static struct article *article_add(struct compiler *c, size_t *cap, struct slice name)
{
    struct program *p = c->program;
    struct article *x = arena_push(c->arena, &p->articles, &p->narticles, cap, sizeof *x);
    x->name = name;
    return x;
}

void articles_compile(struct compiler *c)
{
    const struct yaml **item, *silent = yaml_get(c->root, "silent");
    size_t cap = 0;
    const struct yaml *list = yaml_get(c->root, "articles");
    size_t n = list ? read_scalars(c, list, &item, "a list of articles: [五（一）T1, 五（一）T2]") : 0;
    for (size_t i = 0; i < n && i < NAMES_MAX; i++) {
        if (program_article(c->program, item[i]->text) >= 0)
            ERROR_AT(c, DECLARED_TWICE, item[i], NULL, "the article %.*s stands twice",
                     SLICE_ARG(item[i]->text));
        else
            article_add(c, &cap, item[i]->text);
    }
    n = silent ? map_size(c, silent) : 0;
    for (size_t i = 0; i < n; i++) {
        const struct yaml_pair *pair = &silent->pairs[i];
        int known = program_article(c->program, pair->key->text);
        if (!is_scalar(pair->value) || !pair->value->text.n) {
            ERROR_AT(c, SHAPE, pair->value, "the reason, in words", "%.*s is silent without a reason",
                     SLICE_ARG(pair->key->text));
            continue;
        }
        struct article *x = known >= 0 ? &c->program->articles[known] : article_add(c, &cap, pair->key->text);
        x->silent = pair->value->text;
    }
}
