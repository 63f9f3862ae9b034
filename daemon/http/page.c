/* The page and its parts, built into the program. */
#include "http/state.h"
#include "web/assets.h"

static void send_asset(struct exchange *x, struct slice name)
{
    for (size_t i = 0; i < web_nassets; i++)
        if (slice_eq(slice_of(web_assets[i].name), name)) {
            reply_send(x, 200, web_assets[i].content_type,
                       (struct slice){(const char *)web_assets[i].bytes,
                                      (size_t)(web_assets[i].end - web_assets[i].bytes)});
            return;
        }
    reply_error(x, 404, "no such part of the page");
}

void handle_page(struct exchange *x)
{
    send_asset(x, S("index.html"));
}

void handle_asset(struct exchange *x)
{
    send_asset(x, x->part[0]);
}
