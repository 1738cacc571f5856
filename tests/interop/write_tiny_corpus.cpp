// SPDX-License-Identifier: Apache-2.0
// Writes FOLDER/corpus and FOLDER/recipe.toml: a training that takes seconds, for the checks of launchers.
#include <cstdio>
#include <fstream>

#include "tests/support/tiny_corpus.h"

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: write_tiny_corpus FOLDER\n");
        return 2;
    }
    const std::filesystem::path folder = argv[1];
    imprint::tests::make_tiny_corpus(folder / "corpus");
    std::ofstream(folder / "recipe.toml") << imprint::tests::tiny_recipe(folder / "corpus", "fp32");
    return 0;
}
