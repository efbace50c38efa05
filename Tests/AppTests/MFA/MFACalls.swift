import Foundation
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletSettings
import MartletTestKit
import NIOHTTP1
import Testing

@testable import MartletIdentity

/// An account whose logins need a second factor, and the authenticator of its owner.
struct Enrolled: Sendable {
    let name: String
    let secret: [UInt8]
    let recoveryCodes: [String]
    let clock: MovableClock
    /// Of the session in which the second factor was turned on.
    let session: Session

    /// What the authenticator shows, some steps away from now.
    func code(_ steps: Int = 0) -> String {
        TOTP.code(of: secret, step: TOTP.step(at: clock.now) + steps)
    }

    /// 6 digits that the authenticator shows at none of the steps around now.
    var wrongCode: String {
        let good = Set((-3...3).map(code))
        return (0..<10).map { String(repeating: String($0), count: 6) }.first { !good.contains($0) } ?? "000000"
    }
}

/// Runs the application with a clock that stands still.
func withStandingClock(
    change: (inout Settings) -> Void = { _ in }, _ body: (TestApp, MovableClock) async throws -> Void
) async throws {
    // The beginning of a step.
    let clock = MovableClock(Date(timeIntervalSince1970: 1_900_000_020))
    try await withApp(clock: clock.reading, change: change) { app in try await body(app, clock) }
}

extension TestApp {
    /// Makes an account and turns its second factor on. The clock moves on by a step, so that the authenticator shows a code of no use before.
    func enrol(_ clock: MovableClock, _ name: String = "ada") async throws -> Enrolled {
        try await turnOn(name, clock, session: try await client.register(.of(name)))
    }

    /// The same for somebody who is logged in.
    func turnOn(_ name: String, _ clock: MovableClock, session: Session) async throws -> Enrolled {
        let secret = try await mfa("begin", token: session.accessToken).json()["secret"]?.text ?? ""
        let bytes = Self.bytes(ofBase32: secret)
        let code = TOTP.code(of: bytes, step: TOTP.step(at: clock.now))
        let confirmed = try await mfa("confirm", ["code": .string(code)], token: session.accessToken)
        try #require(confirmed.status == 200, "\(confirmed.text)")
        let codes = try confirmed.json()["recovery_codes"]?.elements.compactMap(\.text) ?? []
        clock.advance(by: .seconds(30))
        return Enrolled(name: name, secret: bytes, recoveryCodes: codes, clock: clock, session: session)
    }

    func mfa(_ path: String, _ body: JSON? = nil, token: String? = nil, headers: [(String, String)] = []) async throws -> RawAnswer {
        let type = body == nil ? [] : [("Content-Type", "application/json")]
        let bytes = try body.map { try WireJSON.encode($0) }
        return try await raw(.POST, "/api/v1/auth/mfa/\(path)", token: token, headers: headers + type, body: bytes)
    }

    /// The token that a login with the right password answers.
    func mfaToken(_ name: String = "ada") async throws -> String {
        let answer = try await logIn(name, Registration.password)
        #expect(answer.status == 200)
        #expect(try answer.json()["mfa_required"] == true)
        #expect(try answer.json()["access_token"] == nil)
        return try answer.json()["mfa_token"]?.text ?? ""
    }

    func finish(_ token: String, code: String) async throws -> RawAnswer {
        try await mfa("login", ["mfa_token": .string(token), "code": .string(code)])
    }

    func finish(_ token: String, recoveryCode: String) async throws -> RawAnswer {
        try await mfa("login", ["mfa_token": .string(token), "recovery_code": .string(recoveryCode)])
    }

    func stepUp(_ proof: JSON, token: String) async throws -> RawAnswer {
        try await raw(
            .POST, "/api/v1/auth/step-up", token: token, headers: [("Content-Type", "application/json")], body: try WireJSON.encode(proof))
    }

    func mfaStatus(_ token: String) async throws -> JSON {
        try await raw(.GET, "/api/v1/auth/mfa", token: token).json()
    }

    private static func bytes(ofBase32 text: String) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        let bits = text.utf8.compactMap { alphabet.firstIndex(of: $0) }.flatMap { value in (0..<5).reversed().map { value >> $0 & 1 } }
        return stride(from: 0, to: bits.count - 7, by: 8).map { start in bits[start..<start + 8].reduce(0) { $0 << 1 | UInt8($1) } }
    }
}

extension RawAnswer {
    var accessToken: String { get throws { try json()["access_token"]?.text ?? "" } }
    var code: String { get throws { try problem().code } }
}
