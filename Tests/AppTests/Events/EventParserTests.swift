import MartletContract
import Testing

@testable import MartletClient

/// The examples of WHATWG HTML §9.2.6 among them.
@Suite("Reading a stream of events")
struct ReadingEvents {
    static let streams: [ReadStream] = [
        ReadStream("", []),
        ReadStream("data: a\n\n", [(nil, "a")]),
        ReadStream("data: a\r\n\r\ndata: b\r\rdata: c\n\n", [(nil, "a"), (nil, "b"), (nil, "c")]),
        ReadStream("data: a\r\ndata: b\r\n\r\n", [(nil, "a\nb")]),
        ReadStream("\u{FEFF}data: a\n\n", [(nil, "a")]),
        ReadStream("\u{FEFF}\u{FEFF}data: a\n\n", []),
        ReadStream("data: a\n\n\u{FEFF}data: b\n\n", [(nil, "a")]),
        ReadStream("data: YHOO\ndata: +2\ndata: 10\n\n", [(nil, "YHOO\n+2\n10")]),
        ReadStream(
            ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event",
            [("1", "first event"), (nil, "second event")]),
        ReadStream("data\n\ndata\ndata\n\ndata:", [(nil, ""), (nil, "\n")]),
        ReadStream("data:test\n\ndata: test\n\ndata:  test\n\n", [(nil, "test"), (nil, "test"), (nil, " test")]),
        ReadStream("id: 7\ndata: a\n\ndata: b\n\n", [("7", "a"), ("7", "b")]),
        ReadStream("id: 7\n\ndata: b\n\n", [("7", "b")]),
        ReadStream("id: 7\ndata: a\n\nid: 8\u{0}\ndata: b\n\n", [("7", "a"), ("7", "b")]),
        ReadStream("id: 7\ndata: a\n\nid: 8\ndata: b\n", [("7", "a")], last: "7"),
        ReadStream("event: other\ndata: a\n\n", [(nil, "a")]),
        ReadStream("Data: a\n data: b\nfoo: c\nfoo\n:data: d\n\ndata: e: f\n\n", [(nil, "e: f")]),
        ReadStream(":\n\n:\n\n\n\n", []),
        ReadStream("data: é🐦\n\n", [(nil, "é🐦")]),
    ]

    @Test(arguments: streams)
    func yieldsTheEventsThatAreComplete(_ stream: ReadStream) throws {
        for size in [1, 2, 3, 7, 1000] {
            var parser = EventParser()
            let events = try stream.pieces(of: size).flatMap { try parser.read($0) }
            #expect(events.map { $0.id } == stream.events.map { $0.id }, "in pieces of \(size)")
            #expect(events.map { $0.data } == stream.events.map { $0.data }, "in pieces of \(size)")
            #expect(parser.lastEventID == stream.last, "in pieces of \(size)")
        }
    }

    @Test(arguments: [
        ("retry: 250\n", 250), ("retry: 250ms\n", nil), ("retry: -1\n", nil), ("retry:\n", nil), ("retry: 250", nil),
        ("retry: 1\nretry: x\n", 1), ("retry: 9999999999\n", 3_600_000), ("retry: 99999999999999999999\n", nil), ("retry: 0\n", 0),
    ])
    func hearsHowLongToWait(stream: String, milliseconds: Int?) throws {
        var parser = EventParser()
        #expect(try parser.read(stream.utf8).isEmpty)
        #expect(parser.retry == milliseconds.map { .milliseconds($0) })
    }

    @Test func replacesWhatIsNotUTF8() throws {
        var parser = EventParser()
        #expect(try parser.read(Array("data: a".utf8) + [0xFF] + Array("b\n\n".utf8)).map(\.data) == ["a\u{FFFD}b"])
    }

    @Test func goesOnAfterTheConnectionBefore() throws {
        var parser = EventParser(after: "41")
        let events = try parser.read("data: a\n\nid: 42\ndata: b\n\n".utf8)
        #expect(events == [ServerEvent(id: "41", data: "a"), ServerEvent(id: "42", data: "b")])
    }

    @Test func hasBoundsForLinesAndEvents() throws {
        let longest = EventParser.longest
        var fitting = EventParser()
        #expect(try fitting.read("data:\(String(repeating: "a", count: longest - 5))\n\n".utf8).first?.data.utf8.count == longest - 5)
        var line = EventParser()
        #expect(throws: EventTooLong.self) { try line.read(repeatElement(UInt8(ascii: ":"), count: longest + 1)) }
        var event = EventParser()
        let half = "data: \(String(repeating: "a", count: longest / 2))\n"
        #expect(throws: EventTooLong.self) { try event.read((half + half).utf8) }
    }
}

@Suite("Waiting to resume a stream")
struct WaitingToResume {
    @Test func getsLongerUntilSomethingIsReceived() {
        var reconnection = Reconnection()
        #expect((1...7).map { _ in reconnection.wait(jitter: 0) } == [0.5, 1, 2, 4, 8, 15, 15].map { .seconds($0) })
        reconnection.succeeded()
        #expect(reconnection.wait(jitter: 0) == .milliseconds(500))
    }

    @Test func isLongerByUpToHalf() {
        var reconnection = Reconnection()
        #expect(reconnection.wait(jitter: 1) == .milliseconds(750))
        #expect(reconnection.wait(jitter: 0.5) == .milliseconds(1250))
    }

    @Test func isNeverShorterThanTheServerAsks() {
        var reconnection = Reconnection()
        reconnection.retry = .seconds(20)
        #expect((1...2).map { _ in reconnection.wait(jitter: 0) } == [.seconds(20), .seconds(20)])
        #expect(reconnection.wait(atLeast: .seconds(60), jitter: 0) == .seconds(60))
        reconnection.retry = .zero
        #expect(reconnection.wait(jitter: 1) == .zero)
    }
}

struct ReadStream: Sendable, CustomTestStringConvertible {
    let text: String
    let events: [(id: String?, data: String)]
    let last: String

    init(_ text: String, _ events: [(id: String?, data: String)], last: String? = nil) {
        (self.text, self.events) = (text, events)
        self.last = last ?? events.last?.id ?? ""
    }

    var testDescription: String { text.debugDescription }

    func pieces(of size: Int) -> [ArraySlice<UInt8>] {
        let bytes = Array(text.utf8)
        return stride(from: 0, to: bytes.count, by: size).map { bytes[$0..<min($0 + size, bytes.count)] }
    }
}
