// SPDX-License-Identifier: Apache-2.0
// Writing results.
#include "app/cli/output.h"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "core/base/error.h"

namespace imprint::cli {
namespace {

std::string dump(const Json& document, int indent) { return document.dump(indent, ' ', false, Json::error_handler_t::replace); }

}  // namespace

void print_json(const Json& document) { std::fputs((dump(document, 2) + "\n").c_str(), stdout); }

std::string printable(const std::string& text)
{
    std::string result = text;
    for (char& c : result)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = '?';
    return result;
}

std::string clock_time(double seconds, bool fine)
{
    const auto tenths = static_cast<long long>(std::llround(std::max(0.0, seconds) * (fine ? 10 : 1)) * (fine ? 1 : 10));
    const long long whole = tenths / 10;
    char text[64];
    if (whole >= 3600)
        std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
    else
        std::snprintf(text, sizeof text, "%lld:%02lld", whole / 60, whole % 60);
    std::string result = text;
    if (fine && tenths % 10)
        result += "." + std::to_string(tenths % 10);
    return result;
}

std::string clock_span(const index::Moment& moment)
{
    if (!moment.start || !moment.end)
        return {};
    return clock_time(*moment.start, true) + "-" + clock_time(*moment.end, true);
}

Json failures_json(const std::vector<index::Failure>& failures)
{
    Json list = Json::array();
    for (const index::Failure& failure : failures) {
        Json item;
        put_path(item, "path", failure.path);
        item["kind"] = failure.kind;
        item["reason"] = failure.reason;
        if (failure.at)
            item["at"] = failure.at;
        list.push_back(std::move(item));
    }
    return list;
}

void print_failures(const std::vector<index::Failure>& failures)
{
    for (const index::Failure& failure : failures)
        std::printf("  %s: %s\n", printable(failure.path.native()).c_str(), printable(failure.reason).c_str());
}

void print_problem(const std::string& message) { std::fprintf(stderr, "imprint: %s\n", printable(message).c_str()); }

void write_text(const std::filesystem::path& out, const std::string& text)
{
    if (out.empty()) {
        std::fwrite(text.data(), 1, text.size(), stdout);
        return;
    }
    const std::filesystem::path part = out.native() + ".part";
    errno = 0;
    std::ofstream file(part, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    std::error_code failure;
    if (file)
        std::filesystem::rename(part, out, failure);
    if (!file || failure) {
        const int reason = failure ? failure.value() : errno ? errno : EIO;
        std::filesystem::remove(part, failure);
        throw_errno(reason, out.native(), "write the export");
    }
}

void write_npy(const std::filesystem::path& file, const Vectors& vectors)
{
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(vectors.count()) + ", "
        + std::to_string(vectors.dim) + "), }";
    constexpr size_t kPrefix = 10;  // magic, version, length
    header.append(63 - (kPrefix + header.size()) % 64, ' ');
    header += '\n';
    const std::filesystem::path temporary = file.native() + ".part";
    errno = 0;
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out.write("\x93NUMPY\x01\x00", 8);
    out.put(static_cast<char>(header.size() & 255)).put(static_cast<char>(header.size() >> 8));
    out << header;
    out.write(reinterpret_cast<const char*>(vectors.values.data()),
              static_cast<std::streamsize>(vectors.values.size() * sizeof(float)));
    out.close();
    if (!out) {
        const int reason = errno ? errno : EIO;
        std::error_code ignored;
        std::filesystem::remove(temporary, ignored);
        throw_errno(reason, file.native(), "write the vectors");
    }
    std::error_code failure;
    std::filesystem::rename(temporary, file, failure);
    if (failure)
        throw_errno(failure.value(), file.native(), "write the vectors");
}

}  // namespace imprint::cli
