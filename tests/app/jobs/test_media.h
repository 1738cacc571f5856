// SPDX-License-Identifier: Apache-2.0
// Real media made on the spot with the ffmpeg program, and the folder of bad input that every face must survive.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace imprint::tests {

/// Runs a program and returns its exit status; its messages go to this process's standard error when it fails.
int run_program(const std::string& program, const std::vector<std::string>& arguments);

/// A test pattern whose colours depend on `seed`, in the format of the extension.
void make_picture(const std::filesystem::path& file, int seed = 0, const std::string& size = "320x240");
/// A moving pattern, with a tone of 440 Hz unless `tone` is empty (an ffmpeg lavfi source otherwise).
void make_video(const std::filesystem::path& file, double seconds, const std::string& tone = "sine=frequency=440");
/// Sound from a lavfi source such as "sine=frequency=440" or "anullsrc".
void make_sound(const std::filesystem::path& file, double seconds, const std::string& source = "sine=frequency=440");

std::string read_file(const std::filesystem::path& file);
void write_file(const std::filesystem::path& file, const std::string& bytes);

/// Takes from this process and its children root's power to read what it may not, so that an unreadable file is one.
void drop_root_powers();

/// Good files and bad ones side by side.
struct BadFolder {
    std::filesystem::path folder;
    std::vector<std::filesystem::path> good;  ///< one with a name that is not UTF-8
    std::vector<std::filesystem::path> bad;
};

/// A text named .jpg, an empty .png, a third of a JPEG, a video with bytes overwritten, a 30,000 × 30,000 PNG, an
/// unreadable file, a dangling link and a FIFO; beside them five good files and a text file that nobody means.
BadFolder make_bad_folder(const std::filesystem::path& parent);

}  // namespace imprint::tests
