import Testing

@testable import MartletTelemetry

@Suite("The field traceparent")
struct ReadingTraceParents {
    static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    static let span = "00f067aa0ba902b7"

    @Test func saysTraceSpanAndFlags() throws {
        let parent = try #require(TraceParent("00-\(Self.trace)-\(Self.span)-01"))
        #expect("\(parent.trace)" == Self.trace)
        #expect("\(parent.span)" == Self.span)
        #expect(parent.isSampled && !parent.isRandom)
        #expect(try !#require(TraceParent("00-\(Self.trace)-\(Self.span)-02")).isSampled)
    }

    @Test(arguments: ["00", "01", "02", "03"])
    func isWrittenAsItWasRead(flags: String) throws {
        let text = "00-\(Self.trace)-\(Self.span)-\(flags)"
        #expect(try #require(TraceParent(text)).description == text)
    }

    @Test(arguments: [
        "", "00", "00-\(trace)-\(span)", "00-\(trace)-\(span)-1", "00-\(trace)-\(span)-01-", "00-\(trace)-\(span)-01-more",
        "00-\(trace)-\(span)-011", " 00-\(trace)-\(span)-01", "00-\(trace)-\(span)-01 ", "ff-\(trace)-\(span)-01", "FF-\(trace)-\(span)-01",
        "0g-\(trace)-\(span)-01", "00-\(trace.uppercased())-\(span)-01", "00-\(trace)-\(span.uppercased())-01", "00-\(trace)-\(span)-0A",
        "00-00000000000000000000000000000000-\(span)-01", "00-\(trace)-0000000000000000-01", "00_\(trace)-\(span)-01",
        "00-\(trace)_\(span)-01",
        "00-\(trace)-\(span)_01", "00-\(trace.dropLast())-\(span)-01", "00-\(trace)0-\(span)-01",
        "00-\(trace)-\(span)-01, 00-\(trace)-\(span)-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473é-\(span)-01", "01-\(trace)-\(span)-01more", "cc-\(trace)-\(span)-01.what",
        "00-\(trace)-\(span)-zz",
    ])
    func isRefusedWhereItIsMalformed(text: String) {
        #expect(TraceParent(text) == nil)
    }

    @Test(arguments: ["01-\(trace)-\(span)-01", "cc-\(trace)-\(span)-01-what the future says", "fe-\(trace)-\(span)-01-"])
    func isReadAsFarAsItIsKnownInLaterVersions(text: String) throws {
        #expect(try #require(TraceParent(text)).description == "00-\(Self.trace)-\(Self.span)-01")
    }
}

@Suite("The field tracestate")
struct CarryingTraceStates {
    @Test(arguments: ["congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "tenant@system=1", "0a=b", "a_-*/b=c", "a=b c!~"])
    func keepsWhatIsWellFormed(text: String) {
        #expect(TraceState(text)?.description == text)
    }

    @Test func leavesOutEmptyMembersAndSpaces() {
        #expect(TraceState(" a=1 ,,\tb=2,")?.description == "a=1,b=2")
    }

    @Test(arguments: [
        "", ",", "a", "=1", "a=", "A=1", "é=1", "a=é", "a=1=2", "a=1,a=2", "a@b@c=1", "@a=1", "a@=1", "_a=1", "a b=1", "a=1\u{7}",
        "\(String(repeating: "k", count: 257))=1", "a=\(String(repeating: "v", count: 257))",
        (0..<33).map { "k\($0)=1" }.joined(separator: ","),
    ])
    func isDroppedWhereItIsMalformed(text: String) {
        #expect(TraceState(text) == nil)
    }

    @Test func isBoundedByLeavingOutLongMembersFirst() throws {
        let long = "long=\(String(repeating: "x", count: 200))"
        let short = (0..<12).map { "key\($0)=\(String(repeating: "y", count: 30))" }
        let kept = try #require(TraceState(([long] + short).joined(separator: ",")))
        #expect(kept.description == short.joined(separator: ","))
        let full = (0..<30).map { "key\($0)=\(String(repeating: "y", count: 30))" }
        let cut = try #require(TraceState(full.joined(separator: ",")))
        #expect(cut.description.utf8.count <= 512)
        #expect(full.joined(separator: ",").hasPrefix(cut.description + ","))
    }
}
