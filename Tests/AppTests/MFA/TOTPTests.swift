import Foundation
import MartletTestKit
import MartletTestSupport
import Testing

@testable import MartletIdentity

@Suite("Codes by time") struct TOTPTests {
    private let secret = Array("12345678901234567890".utf8)

    /// RFC 6238, appendix B, SHA-1. Its codes have 8 digits, of which ours are the last 6.
    @Test(arguments: [
        (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"), (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
    ])
    func areThoseOfRFC6238(seconds: Int, code: String) {
        let step = TOTP.step(at: Date(timeIntervalSince1970: Double(seconds)))
        #expect(TOTP.code(of: secret, step: step) == code.suffix(6))
    }

    /// RFC 4226, appendix D.
    @Test func countAsInRFC4226() {
        let codes = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
        #expect((0..<10).map { TOTP.code(of: secret, step: $0) } == codes)
    }

    @Test func matchTheStepAndThoseBesideIt() {
        let now = Date(timeIntervalSince1970: 1_900_000_020)
        let step = TOTP.step(at: now)
        for distance in -3...3 {
            let found = TOTP.steps(matching: TOTP.code(of: secret, step: step + distance), secret, at: now)
            #expect(found == (abs(distance) <= 1 ? [step + distance] : []))
        }
        #expect(TOTP.steps(matching: "", secret, at: now).isEmpty)
    }

    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI"),
    ])
    func secretsAreWrittenInBase32(text: String, encoded: String) {
        #expect(Base32.encode(text.utf8) == encoded)
    }

    @Test func theAddressIsEscaped() {
        let uri = TOTP.uri(of: secret, account: "ada+x@example.org", issuer: "https://a.b:1/ä?&")
        let issuer = "https%3A%2F%2Fa.b%3A1%2F%C3%A4%3F%26"
        #expect(
            uri == "otpauth://totp/\(issuer):ada%2Bx%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=\(issuer)"
                + "&algorithm=SHA1&digits=6&period=30")
    }

    @Test func aReaderOfQRCodesFindsTheText() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        for text in ["x", TOTP.uri(of: secret, account: String(repeating: "ü", count: 127), issuer: String(repeating: "ü", count: 255))] {
            let file = "\(folder.path)/code.pgm"
            try Data(try Picture(svg: QRCode.svg(of: text)).pgm).write(to: URL(filePath: file))
            let read = try await Program.run(["zbarimg", "--quiet", "--raw", file])
            #expect(read.output == text + "\n", "\(read.errors)")
        }
        #expect(throws: (any Error).self) { try QRCode.svg(of: String(repeating: "x", count: 2332)) }
    }
}

/// A QR code's SVG, painted.
private struct Picture {
    private let side: Int
    private let dark: Set<[Int]>
    private static let scale = 4

    init(svg: String) throws {
        side = try #require(svg.firstMatch(of: /viewBox="0 0 ([0-9]+)/).flatMap { Int($0.1) })
        dark = Set(svg.matches(of: /M([0-9]+) ([0-9]+)h1v1h-1z/).map { [Int($0.1) ?? 0, Int($0.2) ?? 0] })
    }

    /// As a portable graymap.
    var pgm: [UInt8] {
        let width = side * Self.scale
        let pixels = (0..<width).flatMap { y in
            (0..<width).map { x in dark.contains([x / Self.scale, y / Self.scale]) ? UInt8(0) : 255 }
        }
        return Array("P5 \(width) \(width) 255\n".utf8) + pixels
    }
}

@Suite("The limit of guesses") struct GuessLimitTests {
    @Test func lengthensThePauseWithEachFiveUpToADay() {
        var (limit, now) = (GuessLimit(), Date(timeIntervalSince1970: 0))
        for pause in [900, 1800, 3600, 7200, 14_400, 28_800, 57_600, 86_400, 86_400] as [TimeInterval] {
            for _ in 1...5 { #expect(limit.take(at: now) == nil) }
            #expect(limit.take(at: now) == pause)
            #expect(limit.take(at: now.addingTimeInterval(pause - 1)) == 1)
            now += pause
        }
    }

    @Test func countsNoGuessThatItRefuses() {
        var limit = GuessLimit(failures: 5, blockedUntil: Date(timeIntervalSince1970: 900))
        let before = limit
        _ = limit.take(at: Date(timeIntervalSince1970: 899))
        #expect(limit == before)
    }

    @Test func neverOverflows() {
        var limit = GuessLimit(failures: 5 * 1_000_000 - 1)
        #expect(limit.take(at: .distantPast) == nil)
        #expect(limit.take(at: .distantPast) == 86_400)
    }
}
