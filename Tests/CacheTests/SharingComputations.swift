import MartletCore
import MartletTestSupport
import Testing

@testable import MartletCache

@Suite("Sharing a computation")
struct SharingComputations {
    struct Broken: Error {}

    @Test(arguments: CacheKind.timeless)
    func fiveHundredParallelCallersRunOne(kind: CacheKind) async throws {
        let (cache, computed, end) = (try kind.cache(), Tally(), Gate())
        let values = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<500 {
                group.addTask {
                    try await cache.value(for: "p", ttl: .seconds(60)) {
                        await end.wait()
                        return computed.next()
                    }
                }
            }
            try await eventually { cache.statistics.misses == 500 }
            await end.open()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(values == Array(repeating: 1, count: 500))
        #expect(computed.value == 1 && cache.statistics.computed == 1)
    }

    @Test(arguments: CacheKind.timeless)
    func aCallerWhoIsCancelledLeavesTheOthersAlone(kind: CacheKind) async throws {
        let (cache, hasBegun, end) = (try kind.cache(), Gate(), Gate())
        @Sendable func read() async throws -> Int {
            try await cache.value(for: "p", ttl: .seconds(60)) {
                await hasBegun.open()
                await end.wait()
                try Task.checkCancellation()
                return 1
            }
        }
        let owner = Task { try await read() }
        await hasBegun.wait()
        let other = Task { try await read() }
        try await eventually { cache.statistics.misses == 2 }
        owner.cancel()
        await #expect(throws: CancellationError.self) { try await owner.value }
        await end.open()
        #expect(try await other.value == 1)
    }

    @Test func whenEverybodyHasLeftItIsCancelledAndTheNextBeginsAnew() async throws {
        let (cache, hasBegun, wasCancelled) = (try CacheKind.all[0].cache(), Gate(), Gate())
        let only = Task {
            try await cache.value(for: "p", ttl: .seconds(60)) {
                await hasBegun.open()
                await withTaskCancellationHandler {
                    await wasCancelled.wait()
                } onCancel: {
                    Task { await wasCancelled.open() }
                }
                return 1
            }
        }
        await hasBegun.wait()
        only.cancel()
        await #expect(throws: CancellationError.self) { try await only.value }
        #expect(try await cache.value(for: "p", ttl: .seconds(60)) { 2 } == 2)
        await wasCancelled.wait()
    }

    @Test(arguments: CacheKind.timeless)
    func allWhoWaitHearItsFailureAndTheNextTriesAgain(kind: CacheKind) async throws {
        let (cache, computed, end) = (try kind.cache(), Tally(), Gate())
        @Sendable func read() async throws -> Int {
            try await cache.value(for: "p", ttl: .seconds(60)) {
                await end.wait()
                if computed.next() == 1 { throw Broken() }
                return 2
            }
        }
        let callers = (0..<10).map { _ in Task { try await read() } }
        try await eventually { cache.statistics.misses == 10 }
        await end.open()
        for caller in callers { await #expect(throws: Broken.self) { try await caller.value } }
        #expect(try await read() == 2)
    }

    @Test func whatIsForOneCallerOnlyIsComputedByEach() async throws {
        let (cache, computed, end) = (try CacheKind.all[0].cache(), Tally(), Gate())
        let callers = (0..<5).map { _ in
            Task {
                try await cache.find("p", tags: [], CacheTerms(ttl: .seconds(60)), as: KeptBytes.self) {
                    await end.wait()
                    return Made(KeptBytes([UInt8(computed.next())]), isShareable: false)
                }
            }
        }
        try await eventually { cache.statistics.misses == 5 }
        await end.open()
        var forms: Set<UInt8> = []
        for caller in callers { forms.formUnion(try await caller.value.form?.bytes ?? []) }
        #expect(forms.count == 5)
        #expect(cache.statistics.entries == 0)
    }
}
