// SPDX-License-Identifier: Apache-2.0
// Each writing method is one transaction, with the words that files are found by.
#include "index/label_store.h"

#include <cstring>

#include "index/catalog.h"
#include "index/half.h"
#include "index/label_rows.h"
#include "index/lock.h"
#include "index/names.h"

namespace imprint::index {
namespace {

/// Takes the verdict on this moment away, with the label that it brought.
bool erase_review(const Catalog& catalog, const Review& review)
{
    std::string label;
    {
        auto erase = catalog.use("DELETE FROM reviews WHERE file = ? AND label_set = ? AND modality = ?"
                                 " AND start_s IS ? AND end_s IS ? RETURNING label, added");
        erase->bind(1, review.file);
        erase->bind(2, review.set);
        erase->bind(3, static_cast<int>(review.moment.modality));
        bind_span(*erase, 4, review.moment.start, review.moment.end);
        if (!erase->executeStep())
            return false;
        if (erase->getColumn(1).getInt() != 0)
            label = erase->getColumn(0).getString();
    }
    if (!label.empty()) {
        auto erase = catalog.use("DELETE FROM labels WHERE file = ? AND name = ? AND start_s IS ? AND end_s IS ? AND source = 0");
        erase->bind(1, review.file);
        erase->bind(2, label);
        bind_span(*erase, 3, review.moment.start, review.moment.end);
        erase->exec();
    }
    return true;
}

bool person_says(const Catalog& catalog, const Review& review)
{
    auto select = catalog.use("SELECT 1 FROM labels WHERE file = ? AND name = ? AND start_s IS ? AND end_s IS ? AND source = 0");
    select->bind(1, review.file);
    select->bind(2, review.label);
    bind_span(*select, 3, review.moment.start, review.moment.end);
    return select->executeStep();
}

}  // namespace

class LabelStore::Impl {
public:
    Impl(const std::filesystem::path& folder, OpenMode mode)
        : lock(mode == OpenMode::ReadWrite ? std::make_unique<WriterLock>(folder) : nullptr), catalog(folder, mode)
    {
    }
    template <typename F>
    void write(F&& f)
    {
        catalog.write([&] {
            f();
            settle_words(catalog);
        });
    }

    std::unique_ptr<WriterLock> lock;  // first: held before the catalog is touched
    Catalog catalog;
};

LabelStore::LabelStore(const std::filesystem::path& library_folder, OpenMode mode)
    : impl_(std::make_unique<Impl>(std::filesystem::absolute(library_folder), mode))
{
}
LabelStore::~LabelStore() = default;

void LabelStore::put_review(const Review& review)
{
    IMPRINT_ASSERT(!review.set.empty() && review.moment.start.has_value() == review.moment.end.has_value());
    impl_->write([&] {
        erase_review(impl_->catalog, review);
        const bool adds = !review.label.empty() && !person_says(impl_->catalog, review);
        if (adds)
            insert_label(impl_->catalog, review.file, {review.label, review.moment.start, review.moment.end, false});
        auto insert = impl_->catalog.use("INSERT INTO reviews (file, label_set, modality, start_s, end_s, label, drawn, added)"
                                         " VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
        insert->bind(1, review.file);
        insert->bind(2, review.set);
        insert->bind(3, static_cast<int>(review.moment.modality));
        bind_span(*insert, 4, review.moment.start, review.moment.end);
        insert->bind(6, review.label);
        insert->bind(7, review.drawn ? 1 : 0);
        insert->bind(8, adds ? 1 : 0);
        insert->exec();
    });
}

bool LabelStore::drop_review(const Review& review)
{
    bool dropped = false;
    impl_->write([&] { dropped = erase_review(impl_->catalog, review); });
    return dropped;
}

std::vector<Review> LabelStore::reviews(const std::string& set) const
{
    return impl_->catalog.guarded([&] {
        std::vector<Review> reviews;
        auto select = impl_->catalog.use("SELECT file, modality, start_s, end_s, label, drawn FROM reviews WHERE label_set = ?"
                                         " ORDER BY file, modality, coalesce(start_s, -1)");
        select->bind(1, set);
        while (select->executeStep()) {
            Review review{select->getColumn(0).getInt64(),
                          {static_cast<Modality>(select->getColumn(1).getInt()), {}, {}},
                          set,
                          select->getColumn(4).getString(),
                          select->getColumn(5).getInt() != 0};
            if (!select->getColumn(2).isNull()) {
                review.moment.start = select->getColumn(2).getDouble();
                review.moment.end = select->getColumn(3).getDouble();
            }
            reviews.push_back(std::move(review));
        }
        return reviews;
    });
}

void LabelStore::replace_guesses(int64_t file, const std::vector<std::string>& names, const std::vector<Label>& guesses)
{
    impl_->write([&] {
        for (const std::string& name : names) {
            auto erase = impl_->catalog.use("DELETE FROM labels WHERE file = ? AND name = ? AND source = 1");
            erase->bind(1, file);
            erase->bind(2, name);
            erase->exec();
        }
        for (Label guess : guesses) {
            guess.guessed = true;
            insert_label(impl_->catalog, file, guess);
        }
    });
}

std::vector<FileRow> LabelStore::matching(const Filter& filter) const
{
    return impl_->catalog.read([&] {
        static const std::string sql = std::string("SELECT ") + kFileColumnList
            + " FROM files WHERE state = 0 AND id IN (SELECT file FROM embedded WHERE space ="
              " (SELECT active_space FROM library)) ORDER BY id";
        return passing_files(impl_->catalog, sql.c_str(), filter);
    });
}

StoredMoments LabelStore::stored(int64_t file) const
{
    return impl_->catalog.read([&] {
        struct Rows {
            std::vector<float> values, stats;
            size_t next = 0;
        } rows[2];
        StoredMoments stored;
        {
            auto select = impl_->catalog.use("SELECT modality, dim, half, stats FROM vectors JOIN spaces ON spaces.id = space"
                                             " WHERE file = ? AND space = (SELECT active_space FROM library)");
            select->bind(1, file);
            while (select->executeStep()) {
                Rows& of = rows[select->getColumn(0).getInt()];
                stored.vectors.dim = select->getColumn(1).getInt();
                const SQLite::Column half = select->getColumn(2), stats = select->getColumn(3);
                std::vector<uint16_t> bits(static_cast<size_t>(half.getBytes()) / sizeof(uint16_t));
                std::memcpy(bits.data(), half.getBlob(), bits.size() * sizeof(uint16_t));  // a blob may lie at any address
                of.values.resize(bits.size());
                from_half(bits, of.values);
                of.stats.resize(static_cast<size_t>(stats.getBytes()) / sizeof(float));
                std::memcpy(of.stats.data(), stats.getBlob(), of.stats.size() * sizeof(float));
            }
        }
        const auto dim = static_cast<size_t>(stored.vectors.dim);
        for (const Moment& moment : read_moments(impl_->catalog, file)) {
            Rows& of = rows[static_cast<int>(moment.modality)];
            if ((of.next + 1) * dim > of.values.size() || (of.next + 1) * 2 > of.stats.size())
                continue;
            stored.moments.push_back(moment);
            stored.vectors.append({of.values.data() + of.next * dim, dim});
            stored.mean.push_back(of.stats[of.next * 2]);
            stored.deviation.push_back(of.stats[of.next * 2 + 1]);
            ++of.next;
        }
        return stored;
    });
}

}  // namespace imprint::index
