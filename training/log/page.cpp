// SPDX-License-Identifier: Apache-2.0
// The style, the frame, and the file.
#include "training/log/page.h"

#include <cerrno>
#include <fstream>

#include "core/base/error.h"
#include "training/log/chart.h"

namespace imprint::training {
namespace {

constexpr const char* kStyle = R"(:root{color-scheme:light dark;--ink:#1b1f24;--dim:#667;--line:#d9dde3;--paper:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaee;--dim:#99a;--line:#353b45;--paper:#15181d}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1180px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{color:var(--dim);margin:.3rem 0}
.curves{display:grid;grid-template-columns:repeat(auto-fit,minmax(460px,1fr));gap:1.2rem}
figure{margin:0;border:1px solid var(--line);border-radius:8px;padding:.6rem .8rem}figcaption{font-weight:600}
svg{width:100%;height:auto}svg text{font-size:11px;fill:var(--dim)}svg path{fill:none;stroke-width:1.8}
svg .grid{stroke:var(--line);stroke-width:1}svg .raw{opacity:.3;stroke-width:1}
figure ul{list-style:none;margin:.2rem 0 0;padding:0;font-size:.85rem;display:flex;flex-wrap:wrap;gap:.1rem 1rem}
li::before{content:"";display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.4em;background:var(--c)}
.c0{--c:#2a78c2}.c1{--c:#d1662b}.c2{--c:#2c9a72}.c3{--c:#b0549b}.c4{--c:#c99a1d}.c5{--c:#55a9d8}.c6{--c:#8a6bd1}.c7{--c:#7d8590}
svg path[class^=c]{stroke:var(--c)}svg circle{fill:var(--c)}
table{border-collapse:collapse;font-size:.85rem}th{font-weight:500;color:var(--dim);text-align:left;padding:.15rem .6rem .15rem 0}
td{width:3.4em;text-align:center;padding:.15rem .3rem;border:1px solid var(--paper)}
.misses{display:flex;flex-wrap:wrap;gap:.6rem;margin:.3rem 0 1.2rem}.misses figure{width:150px;padding:.4rem}
.misses img{width:100%;height:110px;object-fit:contain;background:#fff}.misses audio{width:100%}
.misses figcaption{font-weight:400;font-size:.8rem;overflow-wrap:anywhere}.right{border-color:#2c9a72;border-width:2px}
.figures td{width:auto;border:0;text-align:right;padding:.1rem .8rem .1rem 0;font-variant-numeric:tabular-nums}
pre{font-size:.8rem;overflow:auto;border:1px solid var(--line);border-radius:8px;padding:.8rem}
)";

}  // namespace

std::string html_page(const std::string& title, const std::string& body)
{
    return "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
           "content=\"width=device-width\"><title>"
        + html_escaped(title) + "</title><style>" + kStyle + "</style>\n" + body + "</html>\n";
}

void write_page(const std::filesystem::path& out, const std::string& html)
{
    const std::filesystem::path temporary = out.native() + ".part";
    errno = 0;
    std::ofstream file(temporary, std::ios::binary);
    file << html;
    file.close();
    if (!file) {
        const int reason = errno ? errno : EIO;
        std::error_code ignored;
        std::filesystem::remove(temporary, ignored);
        throw_errno(reason, out.string(), "write the report");
    }
    std::error_code failure;
    std::filesystem::rename(temporary, out, failure);
    if (failure)
        throw_errno(failure.value(), out.string(), "write the report");
}

}  // namespace imprint::training
