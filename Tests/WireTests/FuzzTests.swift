import MartletTestSupport
import MartletWire
import Testing

/// Two megabytes of damaged requests. The seed is fixed, so a failure can be repeated.
@Suite struct SurvivingAnyBytes {
    private static let originals = [
        "GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\n\r\n",
        "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
        "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
        "POST /length HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nConnection: keep-alive, close\r\n\r\n",
        "GET http://u/ HTTP/1.0\r\nConnection: keep-alive\r\nUpgrade: h2c\r\n\r\n",
    ].map { Array($0.utf8) }

    @Test func theServerAnswersAfterwardsAndNeverFailed() async throws {
        try await TestServer.run(limits: { ($0.bodyGrace, $0.lingerTimeout) = (.milliseconds(200), .milliseconds(100)) }) { server in
            await withTaskGroup(of: [Int].self) { group in
                for seed in 0..<8 { group.addTask { await Self.attack(server, seed: UInt64(seed)) } }
                for await statuses in group { #expect(statuses.allSatisfy { $0 < 500 }) }
            }
            let answers = try await server.answer(to: "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(answers.map(\.body) == ["ok"])
        }
    }

    /// 64 connections of about 4 KiB each.
    private static func attack(_ server: TestServer, seed: UInt64) async -> [Int] {
        var random = SeededNumbers(seed: seed &* 0x9E37_79B9_7F4A_7C15 &+ 1)
        var statuses: [Int] = []
        for _ in 0..<64 {
            guard let client = try? await server.connect() else { continue }
            var bytes: [UInt8] = []
            while bytes.count < 4_096 { bytes += mutated(originals.randomElement(using: &random) ?? [], using: &random) }
            try? await client.send(bytes)
            client.finishSending()
            statuses += Answer.parse(await client.readToEnd()).map(\.status)
        }
        return statuses
    }

    private static func mutated(_ original: [UInt8], using random: inout SeededNumbers) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(contentsOf: bytes[index...].prefix(9), at: index)
            case 3: bytes.insert(Array("\r\n\0 :;,#\u{7F}".utf8).randomElement(using: &random) ?? 0, at: index)
            default: bytes = Array(bytes[..<max(index, 1)])
            }
            if bytes.isEmpty { return original }
        }
        return bytes
    }
}
