import Testing

@testable import MartletCache

@Suite("The record of evictions")
struct EvictionRecordTests {
    @Test func whatBeganBeforeAnEvictionOfItsTagIsNotCurrent() {
        var record = EvictionRecord(capacity: 10)
        record.note(["a"], at: 5)
        #expect(!record.isCurrent(["a"], since: 4))
        #expect(!record.isCurrent(["b", "a"], since: 4))
        #expect(record.isCurrent(["a"], since: 5))
        #expect(record.isCurrent(["b"], since: 4))
    }

    @Test func theLastEvictionOfATagCounts() {
        var record = EvictionRecord(capacity: 10)
        record.note(["a"], at: 7)
        record.note(["a"], at: 6)
        #expect(!record.isCurrent(["a"], since: 6))
        #expect(record.isCurrent(["a"], since: 7))
    }

    @Test func whatBeganBeforeTheOldestThatIsRememberedIsNotCurrent() {
        var record = EvictionRecord(capacity: 3)
        for number in 1...5 { record.note([CacheTag("\(number)")], at: UInt64(number)) }
        // 1 and 2 are forgotten: anything might have been among them.
        #expect(!record.isCurrent(["x"], since: 1))
        #expect(record.isCurrent(["x"], since: 2))
        #expect(!record.isCurrent(["3"], since: 2))
    }

    @Test func aTagThatIsEvictedAgainIsNotForgottenWithItsFirstTime() {
        var record = EvictionRecord(capacity: 3)
        record.note(["a"], at: 1)
        record.note(["b"], at: 2)
        record.note(["a"], at: 3)
        record.note(["c"], at: 4)
        #expect(!record.isCurrent(["a"], since: 2))
        #expect(record.isCurrent(["a"], since: 3))
    }

    @Test func whenEverythingIsEvictedNothingThatBeganBeforeIsCurrent() {
        var record = EvictionRecord(capacity: 3)
        record.noteAll(at: 4)
        #expect(!record.isCurrent([], since: 3))
        #expect(record.isCurrent(["a"], since: 4))
    }

    @Test func itStaysBoundedAndCautiousOverManyEvictions() {
        var (record, last) = (EvictionRecord(capacity: 50), [CacheTag: UInt64]())
        for number in 1...5000 as ClosedRange<UInt64> {
            let tag = CacheTag("\(number &* 7919 % 97)")
            record.note([tag], at: number)
            last[tag] = number
            for (tag, evicted) in last where evicted > number - min(number, 20) {
                #expect(!record.isCurrent([tag], since: evicted - 1))
                #expect(record.isCurrent([tag], since: number))
            }
        }
    }
}
