import Foundation
import Logging
import MartletContract
import MartletCore
import Testing

@testable import MartletTelemetry

@Suite("A line of the log")
struct LinesOfLogs {
    private func line(
        _ message: Logger.Message = "m", level: Logger.Level = .info, error: (any Error)? = nil, _ metadata: Logger.Metadata = [:],
        form: LogForm = .json
    ) -> String {
        let event = LogEvent(
            level: level, message: message, error: error, metadata: metadata, source: nil, file: #fileID, function: #function, line: #line)
        let entry = LogEntry(event, label: "martlet.test", metadata: metadata, at: LogMoment(milliseconds: 1_769_851_800_711))
        return String(decoding: form.line(of: entry), as: UTF8.self)
    }

    private func json(_ line: String) throws -> JSON { try WireJSON.parse(line.utf8) }

    @Test func hasItsFieldsInOneOrderAndNumbersAsNumbers() {
        let metadata: Logger.Metadata = [
            "zebra": "z", "client": "192.0.2.7", "bytes": "348", "ms": "0.31", "status": "200", "method": "GET", "route": "/a/{id}",
            "user": "u", "span_id": "s", "trace_id": "t", "request_id": "r", "apple": "1", "count": .stringConvertible(7),
        ]
        #expect(
            line("done", metadata) == """
                {"time":"2026-01-31T09:30:00.711Z","level":"info","logger":"martlet.test","message":"done","request_id":"r","trace_id":"t",\
                "span_id":"s","user":"u","route":"/a/{id}","method":"GET","status":200,"ms":0.31,"bytes":348,"client":"192.0.2.7",\
                "apple":"1","count":7,"zebra":"z"}

                """)
    }

    @Test(arguments: ["streamed", "1e5", "0x1", "", "-", ".5", "1.", "007", "NaN", "1,\"a\":2"])
    func aNumberThatIsNoneIsAText(text: String) throws {
        #expect(try json(line("m", ["bytes": .string(text)]))["bytes"] == .string(text))
    }

    @Test func showsMillisecondsAlways() {
        var bytes: [UInt8] = []
        LogMoment(milliseconds: 1_769_851_800_000).append(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "2026-01-31T09:30:00.000Z")
    }

    @Test func tellsAnErrorAndWhatLedToIt() throws {
        let lost = ConnectionLost(underlying: BrokenPipe())
        let failure = Failure.unavailable("database_unavailable", "Not now.", cause: lost)
        let line = try json(line(error: failure))
        #expect(line["error"] == "database_unavailable: Not now.")
        #expect(line["causes"] == ["connection lost", "broken pipe"])
    }

    @Test func followsAnErrorThatLeadsToItselfOnlySoFar() throws {
        let line = try json(line(error: Endless()))
        #expect(line["causes"] == .array(Array(repeating: "again", count: 7)))
    }

    @Test(arguments: [
        ("a\u{1b}[31mb", #"a\u001b[31mb"#), ("a\nb\rc\td", #"a\nb\rc\td"#), ("\u{9b}31m", #"\u009b31m"#), ("\u{202e}evil", #"\u202eevil"#),
        ("\u{2066}x\u{2069}", #"\u2066x\u2069"#), ("a\u{2028}b", #"a\u2028b"#), ("\u{7f}\u{0}", #"\u007f\u0000"#), ("\u{61c}", #"\u061c"#),
        ("grün – 🦅 “q”", "grün – 🦅 “q”"),
    ])
    func makesControlCharactersHarmless(text: String, written: String) throws {
        let asJSON = line("\(text)")
        #expect(asJSON.contains("\"message\":\"\(written)\""))
        #expect(try json(asJSON)["message"] == .string(text))
        #expect(line("\(text)", form: .text(inColour: false)).contains(" \(written) "))
        #expect(line("m", ["k\(text)": "\(text)"], form: .text(inColour: false)).contains("k\(written)=\(written)"))
        #expect(asJSON.count { $0.isNewline } == 1)
    }

    @Test func quotesAndBackslashesStayWithinTheirValue() throws {
        let text = #"a","level":"critical","x":"\"#
        let line = try json(line("\(text)", ["na\"me\\": "\(text)"]))
        #expect(line["message"] == .string(text))
        #expect(line["na\"me\\"] == .string(text))
        #expect(line["level"] == "info")
    }

    @Test func aFieldCannotStandInForOneOfTheLineItself() throws {
        let line = line("m", ["level": "critical", "message": "x", "time": "y"])
        #expect(line.matches(of: /"level":/).count == 1)
        #expect(try json(line)["level_"] == "critical")
    }

    @Test func isCutAtEightKiBAndWholeEvenThen() throws {
        let long = String(repeating: "ä\"\u{1}", count: 5000)
        let metadata = Dictionary(uniqueKeysWithValues: (0..<50).map { ("field\($0)", Logger.MetadataValue.string(long)) })
        for form in [LogForm.json, .text(inColour: true)] {
            let line = line("\(long)", error: Failure.conflict("c", long), metadata, form: form)
            #expect(line.utf8.count <= 8 << 10)
            #expect(line.hasSuffix("\n") && line.count { $0.isNewline } == 1)
        }
        #expect(try json(line("\(long)", metadata))["cut"] == true)
        #expect(try json(line("\(long)"))["message"]?.text?.hasSuffix("…") == true)
    }

    @Test func textIsForPeople() {
        let text = line("done", level: .warning, ["status": "200"], form: .text(inColour: false))
        #expect(text == "2026-01-31T09:30:00.711Z WARNING  done  status=200 logger=martlet.test \n")
        #expect(!text.contains("\u{1b}"))
        #expect(line(form: .text(inColour: true)).contains("\u{1b}[32mINFO\u{1b}[0m"))
    }

    @Test func ofFieldsAreTheSameWithAndWithoutADictionary() async throws {
        let place = MemoryPlace()
        let logs = Logs(into: place)
        var other = logs.logger("martlet.test")
        other[metadataKey: "more"] = "1"
        for logger in [logs.logger("martlet.test"), other] {
            logger.log(
                .info, "GET \"x\" 200",
                fields: [
                    LogField("request_id", "a\"\n"), LogField("status", 200), LogField("ms", milliseconds: .nanoseconds(12_346_789)),
                    LogField("client", "::1"),
                ])
        }
        #expect(await logs.flush(within: .seconds(60)))
        let lines = place.lines.map { String($0.drop { $0 != "," }) }
        #expect(lines[0].contains(#""message":"GET \"x\" 200","request_id":"a\"\n","status":200,"ms":12.34,"client":"::1"}"#))
        #expect(lines[1] == lines[0].replacing("}", with: #","more":"1"}"#))
    }

    @Test func insideARequestCarriesItsNameAndWhatTheProviderKnows() async throws {
        let place = MemoryPlace()
        let logs = Logs(into: place)
        var logger = logs.logger("martlet.test")
        logger.handler.metadataProvider = .init { ["trace_id": "abc", "own": "provider"] }
        logger[metadataKey: "own"] = "logger"
        CurrentRequest.$id.withValue("request-1") { logger.info("a") }
        CurrentRequest.$id.withValue("request-1") { logger.info("b", metadata: ["request_id": "other", "own": "line"]) }
        #expect(await logs.flush(within: .seconds(60)))
        let lines = try place.lines.map { try json($0) }
        #expect(lines[0]["request_id"] == "request-1" && lines[0]["trace_id"] == "abc" && lines[0]["own"] == "logger")
        #expect(lines[1]["request_id"] == "other" && lines[1]["own"] == "line")
    }
}

private struct ConnectionLost: Error, CustomStringConvertible {
    let underlying: any Error
    var description: String { "connection lost" }
}

private struct BrokenPipe: Error, CustomStringConvertible {
    var description: String { "broken pipe" }
}

private final class Endless: Error, CustomStringConvertible, Sendable {
    let description = "again"
    /// A cause that has itself as its cause.
    let cause: any Error = Turn()

    private struct Turn: Error, CustomReflectable, CustomStringConvertible {
        let description = "again"
        var customMirror: Mirror { Mirror(self, children: ["cause": Turn()]) }
    }
}
