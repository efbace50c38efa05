import MartletContract
import MartletTestKit
import MartletTestSupport
import MartletWire
import NIOCore
import Synchronization
import Testing

@testable import MartletHTTP

@Suite("The queue of a listener")
struct ListenersQueue {
    @Test func handsOutWhatWaitsFromTheBeginningAndThenWhatComes() throws {
        var queue = FeedQueue<Int>([try .number(1), try .number(2)], room: 1)
        _ = queue.send(try .number(3))
        #expect((1...4).map { waiter in queue.take(waiter).words } == ["1", "2", "3", "waits"])
        #expect(try queue.send(.number(4))?.words == "4 to 4")
    }

    @Test func endsInsteadOfLeavingOneOut() throws {
        var queue = FeedQueue<Int>([try .number(1)], room: 2)
        for number in 2...3 { _ = queue.send(try .number(number)) }
        #expect(!queue.isEnded)
        _ = queue.send(try .number(4))
        #expect(queue.isEnded)
        _ = queue.send(try .number(5))
        #expect((1...4).map { waiter in queue.take(waiter).words } == ["1", "2", "3", "ended"])
    }

    @Test func finishesWithWhatWaits() throws {
        var queue = FeedQueue<Int>([try .number(1)], room: 2)
        #expect(queue.finish() == nil)
        #expect((1...2).map { waiter in queue.take(waiter).words } == ["1", "ended"])
    }

    @Test func forgetsWhatWaitsWhenNobodyListens() throws {
        var queue = FeedQueue<Int>([try .number(1)], room: 2)
        #expect(queue.cancel() == nil)
        #expect(queue.take(1).words == "ended")
    }

    @Test func endsForWhoeverWaits() {
        for end in [{ $0.finish() }, { $0.cancel() }] as [(inout FeedQueue<Int>) -> FeedQueue<Int>.Resumption?] {
            var queue = FeedQueue<Int>([], room: 2)
            #expect(queue.take(7).words == "waits")
            #expect(end(&queue)?.words == "end to 7")
            #expect(end(&queue) == nil)
        }
    }

    @Test func sendsAHeartbeatAtTheThirdQuietTick() throws {
        var queue = FeedQueue<Int>([], room: 2)
        for _ in 1...5 { #expect(queue.tick() == nil, "Nobody waits: what was sent is not yet read.") }
        for _ in 1...2 {
            _ = queue.take(1)
            #expect(queue.tick() == nil && queue.tick() == nil)
            #expect(queue.tick()?.words == "heartbeat to 1")
        }
        _ = queue.take(2)
        #expect(queue.tick() == nil && queue.tick() == nil)
        #expect(try queue.send(.number(1)) != nil)
        _ = queue.take(3)
        #expect(queue.tick() == nil && queue.tick() == nil, "The count begins again with every frame.")
        #expect(queue.tick() != nil)
    }
}

@Suite("A feed")
struct Feeds {
    @Test func isReadByOneListener() async throws {
        let (feed, sender) = EventFeed.open(after: [try .number(1)])
        #expect(try sender.send(.number(2)))
        sender.finish()
        #expect(try !sender.send(.number(3)))
        var words: [String] = []
        for await frame in feed { words.append(frame.words) }
        #expect(words == ["1", "2"])
    }

    @Test func tellsOnceThatItHasEnded() async throws {
        let ends = Count()
        let (feed, sender) = EventFeed.open(room: 1)
        sender.onEnd { ends.add() }
        #expect(try sender.send(.number(1)))
        #expect(ends.value == 0)
        #expect(try !sender.send(.number(2)), "There is no room.")
        sender.finish()
        #expect(ends.value == 1)
        sender.onEnd { ends.add() }
        #expect(ends.value == 2, "Who asks later is told at once.")
        withExtendedLifetime(feed) {}
    }

    @Test func thatNobodyListensToEnds() throws {
        let ends = Count()
        var feed: EventFeed?
        let sender: EventSender
        (feed, sender) = EventFeed.open()
        sender.onEnd { ends.add() }
        #expect(try sender.send(.number(1)) && feed != nil)
        feed = nil
        #expect(try ends.value == 1 && !sender.send(.number(2)))
    }

    @Test func endsWithTheTaskThatReadsIt() async throws {
        let ends = Count()
        let (feed, sender) = EventFeed.open()
        sender.onEnd { ends.add() }
        let reading = Task { await feed.first { _ in true } == nil }
        reading.cancel()
        #expect(await reading.value)
        #expect(ends.value == 1)
    }

    @Test func ofAListenerThatDoesNotReadEndsWithItsConnection() async throws {
        let ends = Count()
        let endpoint = Endpoint<NoContent, EventStream<String>>.events("/flood", "Send what nobody reads", allow: .signedIn)
        let flood = try EventFrame.encode(id: nil, String(repeating: "a", count: 1 << 20))
        let route = serve(events: endpoint) { _, _, _ in
            let (feed, sender) = EventFeed.open(after: Array(repeating: flood, count: 64))
            sender.onEnd { ends.add() }
            return feed
        }
        var limits = WireLimits()
        limits.writeStallTimeout = .milliseconds(200)
        try await withApp { app in
            let token = try await app.token()
            try await app.serving([route], limits: limits) { address in
                let stream = try await app.open("/flood", token: token, at: address)
                try await eventually { ends.value == 1 }
                #expect(stream.status == 200)
            }
        }
    }

    @Test func refusesIdentifiersThatWouldBreakTheStream() throws {
        for id in ["a\nb", "a\rb", "a\u{0}", "a\r\nb"] {
            #expect(throws: UnsendableEventID.self) { try EventFrame.encode(id: id, 1) }
        }
        #expect(try EventFrame.encode(id: "é 1", "a\nb").words == "id: é 1\ndata: \"a\\nb\"\n\n")
    }
}

private final class Count: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func add() { count.add(1, ordering: .relaxed) }
}

extension EventFrame {
    fileprivate static func number(_ number: Int) throws -> EventFrame { try encode(id: nil, number) }

    fileprivate var words: String {
        let text = String(buffer: bytes)
        return text == ":\n\n" ? "heartbeat" : text.wholeMatch(of: /data: ([0-9]+)\n\n/).map { String($0.1) } ?? text
    }
}

extension FeedQueue<Int>.Taking {
    fileprivate var words: String {
        switch self {
        case .frame(let frame): frame.words
        case .ended: "ended"
        case .waits: "waits"
        }
    }
}

extension FeedQueue<Int>.Resumption {
    fileprivate var words: String { "\(frame?.words ?? "end") to \(waiter)" }
}
