/* Which encoding a file is in, told from its bytes alone: the same on every machine, whatever converters it
 * has. */
#include "lang/encoding.h"

#include "lang/diag.h"

static bool in_range(unsigned char c, unsigned char first, unsigned char last)
{
    return c >= first && c <= last;
}

/* Structurally sound GBK or GB18030, most of whose characters are those that people write: the common
 * ideographs and signs of GB 2312. *four: one of GB18030's long forms is there. */
static bool is_gbk(struct slice s, bool *four)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t all = 0, common = 0, i = 0;
    *four = false;
    while (i < s.n) {
        if (p[i] < 0x80) {
            i++;
        } else if (p[i] == 0x80 || p[i] == 0xff) {
            return false;
        } else if (i + 1 == s.n) {
            break; /* cut off in the middle of one */
        } else if (in_range(p[i + 1], 0x40, 0xfe) && p[i + 1] != 0x7f) {
            all++;
            common += (in_range(p[i], 0xb0, 0xf7) || in_range(p[i], 0xa1, 0xa3)) && p[i + 1] >= 0xa1;
            i += 2;
        } else if (in_range(p[i + 1], '0', '9') && i + 3 < s.n && in_range(p[i + 2], 0x81, 0xfe) &&
                   in_range(p[i + 3], '0', '9')) {
            *four = true;
            i += 4;
        } else {
            return false;
        }
    }
    return all > 0 && common * 3 >= all * 2;
}

/* Without a mark at its beginning: NULs at every other place only, where ASCII is. */
static const char *wide_name(struct slice s)
{
    static const struct {
        struct slice mark;
        const char *name;
    } marks[] = {{{"\xff\xfe\0\0", 4}, "UTF-32LE"},
                 {{"\0\0\xfe\xff", 4}, "UTF-32BE"},
                 {{"\xff\xfe", 2}, "UTF-16LE"},
                 {{"\xfe\xff", 2}, "UTF-16BE"}};
    size_t nul[2] = {0, 0}, n = s.n < 4096 ? s.n : 4096;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (s.n >= marks[i].mark.n && memcmp(s.p, marks[i].mark.p, marks[i].mark.n) == 0)
            return marks[i].name;
    for (size_t i = 0; i < n; i++)
        nul[i & 1] += s.p[i] == '\0';
    if (n < 16 || (nul[0] + nul[1]) * 8 < n || (nul[0] && nul[1]))
        return NULL;
    return nul[0] ? "UTF-16BE" : "UTF-16LE";
}

static bool tell(const struct bundle_file *file, struct diags *d, const char *name)
{
    diag_add(d, SEVERITY_ERROR, DIAG_ENCODING, file, 0, 0, 1,
             arena_printf(d->arena,
                          "UTF-8: iconv -f %s -t UTF-8, or “CSV UTF-8” where a spreadsheet saves it", name)
                 .p,
             "the file is in %s (这是 %s 编码), not in UTF-8", name, name);
    return false;
}

bool encoding_check(const struct bundle_file *file, struct diags *d)
{
    struct slice s = file->content;
    const char *wide = wide_name(s);
    bool four;
    if (wide)
        return tell(file, d, wide);
    if (!slice_is_utf8(s) && is_gbk(s, &four))
        return tell(file, d, four ? "GB18030" : "GBK");
    if (s.n && memchr(s.p, '\r', s.n) && !memchr(s.p, '\n', s.n)) {
        diag_add(d, SEVERITY_ERROR, DIAG_ENCODING, file, 0, 0, 1,
                 "line feeds, with or without a carriage return before them",
                 "the lines end with a carriage return alone");
        return false;
    }
    return true;
}
