#include "web/assets.h"

static const unsigned char index_html[] = {
#include "web/index.html.inc"
};
static const unsigned char app_js[] = {
#include "web/app.js.inc"
};
static const unsigned char icon_svg[] = {
#include "web/icon.svg.inc"
};
static const unsigned char style_css[] = {
#include "web/style.css.inc"
};

const struct web_asset web_assets[] = {
    {"index.html", "text/html; charset=utf-8", index_html, index_html + sizeof index_html},
    {"app.js", "text/javascript; charset=utf-8", app_js, app_js + sizeof app_js},
    {"icon.svg", "image/svg+xml", icon_svg, icon_svg + sizeof icon_svg},
    {"style.css", "text/css; charset=utf-8", style_css, style_css + sizeof style_css},
};
const size_t web_nassets = sizeof web_assets / sizeof *web_assets;
