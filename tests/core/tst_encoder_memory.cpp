// SPDX-License-Identifier: Apache-2.0
// What the encoder does when libtorch's allocator has no more to give.
#include <QTemporaryDir>
#include <QTest>

#include <atomic>

#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#include "core/base/error.h"
#include "core/encoder.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint;

namespace {

/// The processor's own allocator with a limit: beyond it, it says what a device's allocator says when memory is out.
class Scarce : public c10::Allocator {
public:
    c10::DataPtr allocate(size_t bytes) override
    {
        const bool refused = passing_-- <= 0 && refusing_-- > 0;
        TORCH_CHECK_WITH(OutOfMemoryError, !refused, "tried to allocate ", bytes, " bytes");
        return c10::GetDefaultCPUAllocator()->allocate(bytes);
    }
    c10::DeleterFnPtr raw_deleter() const override { return c10::GetDefaultCPUAllocator()->raw_deleter(); }
    void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }

    /// After `passing` more requests, `refusing` find nothing.
    void run_out(int passing, int refusing)
    {
        passing_ = passing;
        refusing_ = refusing;
    }

private:
    std::atomic<int> passing_ = 0, refusing_ = 0;
};

constexpr int kAll = 1 << 30;

std::vector<media::Sound> sounds(int count)
{
    std::vector<media::Sound> all(static_cast<size_t>(count));
    for (size_t i = 0; i < all.size(); ++i)
        for (size_t k = 0; k < 8000 + 100 * i; ++k)
            all[i].samples.push_back(static_cast<float>(static_cast<int>(k * (i + 3) % 200) - 100) / 200);
    return all;
}

}  // namespace

class TestEncoderMemory : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        checkpoint_ = tests::make_tiny_checkpoint(dir_.path().toStdString());
        c10::SetCPUAllocator(&scarce_);
    }
    void cleanup() { scarce_.run_out(0, 0); }
    void cleanupTestCase() { c10::SetCPUAllocator(c10::GetDefaultCPUAllocator()); }

    void fewer_go_side_by_side_and_every_vector_comes_out_the_same_data()
    {
        QTest::addColumn<int>("passing");
        QTest::addColumn<int>("refusing");
        QTest::newRow("the first request") << 0 << 1;
        QTest::newRow("one amidst") << 300 << 1;
        QTest::newRow("some in a row") << 100 << 3;
    }
    void fewer_go_side_by_side_and_every_vector_comes_out_the_same()
    {
        QFETCH(int, passing);
        QFETCH(int, refusing);
        Encoder encoder(checkpoint_, {"cpu", "fp32", 4});
        const std::vector<media::Sound> items = sounds(12);
        const Vectors wanted = encoder.encode_sounds(items);
        QCOMPARE(encoder.threads(), 4);
        scarce_.run_out(passing, refusing);
        QVERIFY(encoder.encode_sounds(items).values == wanted.values);
        QVERIFY(encoder.threads() < 4 && encoder.threads() >= 1);
    }

    void one_alone_is_tried_again()
    {
        Encoder encoder(checkpoint_, {"cpu", "fp32", 1});
        const std::vector<media::Sound> item = sounds(1);
        const Vectors wanted = encoder.encode_sounds(item);
        scarce_.run_out(20, 2);
        QVERIFY(encoder.encode_sounds(item).values == wanted.values);
    }

    void what_never_finds_memory_is_refused_and_the_encoder_goes_on_later()
    {
        Encoder encoder(checkpoint_, {"cpu", "fp32", 2});
        const std::vector<media::Sound> items = sounds(3);
        const Vectors wanted = encoder.encode_sounds(items);
        scarce_.run_out(0, kAll);
        try {
            encoder.encode_sounds(items);
            QFAIL("encoded without memory");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::LimitExceeded);
            QCOMPARE(error.subject(), checkpoint_.string());
        }
        scarce_.run_out(0, 0);
        QVERIFY(encoder.encode_sounds(items).values == wanted.values);
    }

private:
    QTemporaryDir dir_;
    std::filesystem::path checkpoint_;
    Scarce scarce_;
};

QTEST_APPLESS_MAIN(TestEncoderMemory)
#include "tst_encoder_memory.moc"
