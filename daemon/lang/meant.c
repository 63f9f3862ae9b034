/* Guesses at what was meant: tables of wordings, each beside what the language says. */
#include "lang/meant.h"

#include "base/civil.h"
#include "base/rat.h"
#include "lang/diag.h"

#define TEXT_MAX 64 /* longer texts are not guessed at */

/* ---- characters */

bool char_is_foreign_blank(uint32_t c)
{
    return c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x205f ||
           c == 0x3000;
}

bool char_is_invisible(uint32_t c)
{
    return c == 0xad || (c >= 0x80 && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

struct slice half_width(struct arena *a, struct slice s)
{
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0, length = 0;
    for (size_t i = 0; i < s.n; i += length) {
        uint32_t c = char_decode(s.p + i, s.n - i, &length);
        if (c >= 0xff01 && c <= 0xff5e) {
            out[n++] = (char)(c - 0xfee0);
        } else if (char_is_foreign_blank(c)) {
            out[n++] = ' ';
        } else {
            memcpy(out + n, s.p + i, length);
            n += length;
        }
    }
    return (struct slice){out, n};
}

/* 0 to 9 for 〇 to 九, 10 for 十; -1: no numeral. */
static int numeral(uint32_t c)
{
    static const uint32_t all[] = {0x3007, 0x4e00, 0x4e8c, 0x4e09, 0x56db, 0x4e94,
                                   0x516d, 0x4e03, 0x516b, 0x4e5d, 0x5341};
    for (int i = 0; i < 11; i++)
        if (all[i] == c)
            return i;
    return -1;
}

/* Whole numerals in digits: 二十四 → 24, 二〇二四 → 2024. */
static struct slice with_digits(struct arena *a, struct slice s)
{
    struct buf b = {0};
    size_t length = 0;
    for (size_t i = 0; i < s.n;) {
        int n = numeral(char_decode(s.p + i, s.n - i, &length)), value = 0, digits = 0, ten = 0;
        if (n < 0)
            buf_add(&b, (struct slice){s.p + i, length});
        for (; n >= 0 && digits < 6; digits++) {
            ten |= n == 10;
            value = n == 10 ? (value ? value : 1) * 10 : ten ? value + n : value * 10 + n;
            i += length;
            n = i < s.n ? numeral(char_decode(s.p + i, s.n - i, &length)) : -1;
        }
        if (digits)
            buf_printf(&b, "%d", value);
        else
            i += length;
    }
    struct slice out = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return out;
}

/* ---- wordings: # stands for a number, a blank for any blanks or none; in what is meant, # is the next
 * number, = the same in two digits, @ in four */

struct wording {
    const char *said, *meant;
};

static const struct wording yes_no[] = {
    {"true", "yes"}, {"on", "yes"}, {"y", "yes"}, {"yes", "yes"}, {"是", "yes"}, {"有", "yes"},
    {"false", "no"}, {"off", "no"}, {"n", "no"},  {"no", "no"},   {"否", "no"},  {"无", "no"},
};
static const struct wording dates[] = {
    {"#-#-#", "@-=-="},       {"#/#/#", "@-=-="},       {"#.#.#", "@-=-="},
    {"#年 #月 #日", "@-=-="}, {"#年 #月 #号", "@-=-="},
};
static const struct wording periods[] = {
    {"#年 #月", "@-="},    {"#年 #月份", "@-="},   {"#-#", "@-="},    {"#/#", "@-="},        {"#.#", "@-="},
    {"#年 #季度", "@Q#"},  {"#年 第#季度", "@Q#"}, {"#年 Q#", "@Q#"}, {"#Q#", "@Q#"},        {"#-Q#", "@Q#"},
    {"#年 上半年", "@H1"}, {"#年 下半年", "@H2"},  {"#-H#", "@H#"},   {"#H#", "@H#"},        {"#年", "@"},
    {"#年度", "@"},        {"#W#", "@-W="},        {"#-W#", "@-W="},  {"#年 第#周", "@-W="},
};
static const struct wording durations[] = {
    {"# 个 工作日", "# workdays"},
    {"# 工作日", "# workdays"},
    {"# working days", "# workdays"},
    {"# business days", "# workdays"},
    {"# work days", "# workdays"},
    {"# workday", "# workdays"},
    {"# wd", "# workdays"},
    {"# 天", "#d"},
    {"# 日", "#d"},
    {"# days", "#d"},
    {"# day", "#d"},
    {"# d", "#d"},
    {"# 个 小时", "#h"},
    {"# 小时", "#h"},
    {"# hours", "#h"},
    {"# hour", "#h"},
    {"# h", "#h"},
    {"# 分钟", "#m"},
    {"# minutes", "#m"},
    {"# minute", "#m"},
    {"# min", "#m"},
    {"# 周", "#w"},
    {"# 个 星期", "#w"},
    {"# 星期", "#w"},
    {"# weeks", "#w"},
    {"# week", "#w"},
    {"# w", "#w"},
    {"# 个 月", "#mo"},
    {"# months", "#mo"},
    {"# month", "#mo"},
    {"# mo", "#mo"},
};
static const struct wording dues[] = {
    {"#日", "day #"},
    {"#号", "day #"},
    {"# 日", "day #"},
    {"#", "day #"},
    {"#th", "day #"},
    {"the #th", "day #"},
    {"#st", "day #"},
    {"#nd", "day #"},
    {"#rd", "day #"},
    {"day #", "day #"},
    {"月末", "last day"},
    {"月底", "last day"},
    {"末", "last day"},
    {"底", "last day"},
    {"季末", "last day"},
    {"季度末", "last day"},
    {"年末", "last day"},
    {"年底", "last day"},
    {"最后1日", "last day"},
    {"最后1天", "last day"},
    {"lastday", "last day"},
    {"end", "last day"},
    {"次月#日", "day # of next month"},
    {"次月#号", "day # of next month"},
    {"下月#日", "day # of next month"},
    {"下个月#日", "day # of next month"},
    {"首月#日", "day # of first month"},
    {"第1周", "first week"},
    {"首周", "first week"},
    {"最后1周", "last week"},
    {"末周", "last week"},
    {"第#个工作日", "workday #"},
    {"最后1个工作日", "last workday"},
    {"星期1", "周一"},
    {"星期2", "周二"},
    {"星期3", "周三"},
    {"星期4", "周四"},
    {"星期5", "周五"},
    {"星期6", "周六"},
    {"星期日", "周日"},
    {"星期天", "周日"},
    {"monday", "Monday"},
    {"tuesday", "Tuesday"},
    {"wednesday", "Wednesday"},
    {"thursday", "Thursday"},
    {"friday", "Friday"},
    {"saturday", "Saturday"},
    {"sunday", "Sunday"},
    {"不限", "none"},
    {"不定期", "none"},
    {"n/a", "none"},
};

static const struct wording kinds[] = {
    {"日", "day"},        {"天", "day"},         {"每日", "day"},          {"每天", "day"},
    {"daily", "day"},     {"days", "day"},       {"周", "week"},           {"每周", "week"},
    {"weekly", "week"},   {"weeks", "week"},     {"月", "month"},          {"每月", "month"},
    {"monthly", "month"}, {"months", "month"},   {"季", "quarter"},        {"季度", "quarter"},
    {"每季", "quarter"},  {"每季度", "quarter"}, {"quarterly", "quarter"}, {"quarters", "quarter"},
    {"半年", "half"},     {"每半年", "half"},    {"half-year", "half"},    {"年", "year"},
    {"年度", "year"},     {"每年", "year"},      {"yearly", "year"},       {"annual", "year"},
    {"annually", "year"}, {"years", "year"},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool wording_fits(const char *said, struct slice s, int number[4])
{
    size_t i = 0;
    for (int k = 0; *said; said++) {
        if (*said == '#') {
            size_t start = i;
            number[k] = 0;
            for (; i < s.n && i < start + 5 && is_digit(s.p[i]); i++)
                number[k] = number[k] * 10 + (s.p[i] - '0');
            if (i == start || ++k == 4)
                return false;
        } else if (*said == ' ') {
            while (i < s.n && s.p[i] == ' ')
                i++;
        } else if (i == s.n || lower(s.p[i++]) != lower(*said)) {
            return false;
        }
    }
    return i == s.n;
}

static struct slice wording_meant(struct arena *a, const char *meant, const int number[4])
{
    struct buf b = {0};
    for (int k = 0; *meant; meant++)
        if (*meant == '#')
            buf_printf(&b, "%d", number[k++]);
        else if (*meant == '=')
            buf_printf(&b, "%02d", number[k++]);
        else if (*meant == '@')
            buf_printf(&b, "%04d", number[k++]);
        else
            buf_byte(&b, (unsigned char)*meant);
    struct slice out = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return out;
}

static struct slice wording_find(struct arena *a, const struct wording *w, size_t n, struct slice s)
{
    int number[4] = {0};
    for (size_t i = 0; i < n; i++)
        if (wording_fits(w[i].said, s, number))
            return wording_meant(a, w[i].meant, number);
    return (struct slice){0};
}
#define WORDING_FIND(a, table, s) wording_find(a, table, sizeof table / sizeof *table, s)

/* ---- each sort: what is meant by a text in half width and digits; empty where that would not be of the sort
 */

static bool take(struct slice *s, struct slice front, struct slice back)
{
    if (s->n <= front.n + back.n || memcmp(s->p, front.p, front.n) != 0 ||
        (back.n && memcmp(s->p + s->n - back.n, back.p, back.n) != 0))
        return false;
    *s = (struct slice){s->p + front.n, s->n - front.n - back.n};
    return true;
}

static struct slice date_meant(struct arena *a, struct slice s)
{
    date_t d;
    if (s.n == 8 && strspn(s.p, "0123456789") >= 8)
        s = arena_printf(a, "%.4s-%.2s-%.2s", s.p, s.p + 4, s.p + 6);
    struct slice out = date_parse(s, &d) ? s : WORDING_FIND(a, dates, s);
    return date_parse(out, &d) ? out : (struct slice){0};
}

static struct slice period_meant(struct arena *a, struct slice s)
{
    struct period p;
    struct slice out = period_parse(s, &p) ? s : WORDING_FIND(a, periods, s);
    return out.n && period_parse(out, &p) && p.kind != PERIOD_ONCE ? out : date_meant(a, s);
}

static struct slice duration_meant(struct arena *a, struct slice s)
{
    struct duration d;
    (void)(take(&s, S(""), S("以内")) || take(&s, S(""), S("内")));
    struct slice out = duration_parse(s, &d) ? s : WORDING_FIND(a, durations, s);
    return duration_parse(out, &d) ? out : (struct slice){0};
}

/* 1,000 in a plain row of digits, too. */
static struct slice number_meant(struct arena *a, struct slice s)
{
    struct rat r;
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != ',' && s.p[i] != ' ')
            out[n++] = s.p[i];
    return rat_parse((struct slice){out, n}, &r) ? (struct slice){out, n} : (struct slice){0};
}

static struct slice due_meant(struct arena *a, struct slice s)
{
    static const struct slice every[] = {{"每季度", 9}, {"每月", 6}, {"每季", 6}, {"每年", 6},
                                         {"每周", 6},   {"当月", 6}, {"每", 3}};
    (void)(take(&s, S(""), S("之前")) || take(&s, S(""), S("以前")) || take(&s, S(""), S("前")));
    struct slice out = WORDING_FIND(a, dues, s);
    for (size_t i = 0; out.n == 0 && i < sizeof every / sizeof *every; i++) {
        struct slice rest = s;
        if (take(&rest, every[i], S("")))
            out = WORDING_FIND(a, dues, rest);
    }
    return out;
}

static struct slice kind_meant(struct arena *a, struct slice s)
{
    return WORDING_FIND(a, kinds, s);
}

static struct slice yesno_meant(struct arena *a, struct slice s)
{
    return WORDING_FIND(a, yes_no, s);
}

struct slice meant_by(struct arena *a, unsigned sorts, struct slice text)
{
    static const struct {
        enum meant sort;
        struct slice (*make)(struct arena *a, struct slice s);
    } maker[] = {{MEANT_YESNO, yesno_meant},       {MEANT_DATE, date_meant},     {MEANT_PERIOD, period_meant},
                 {MEANT_DURATION, duration_meant}, {MEANT_NUMBER, number_meant}, {MEANT_DUE, due_meant},
                 {MEANT_KIND, kind_meant}};
    if (text.n == 0 || text.n > TEXT_MAX)
        return (struct slice){0};
    struct slice s = with_digits(a, half_width(a, text));
    while (s.n && s.p[0] == ' ')
        s = (struct slice){s.p + 1, s.n - 1};
    while (s.n && s.p[s.n - 1] == ' ')
        s.n--;
    for (size_t i = 0; s.n && i < sizeof maker / sizeof *maker; i++) {
        struct slice out = sorts & maker[i].sort ? maker[i].make(a, s) : (struct slice){0};
        if (out.n && !slice_eq(out, text))
            return out;
    }
    return (struct slice){0};
}

const char *meant_hint(struct arena *a, unsigned sorts, struct slice text, const char *otherwise)
{
    struct slice s = meant_by(a, sorts, text);
    return s.n ? arena_printf(a, "did you mean “%.*s”?", SLICE_ARG(s)).p : otherwise;
}
