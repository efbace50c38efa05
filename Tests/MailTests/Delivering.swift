import Foundation
import MartletCore
import MartletTestKit
import MartletTestSupport
import Testing

@testable import MartletMail

@Suite("A mail on its way to a server") struct Delivering {
    private let hello = MailMessage(to: .ada, subject: "Hello", text: "One\n.\n..two\nthree")

    private func mailer(
        port: Int, _ encryption: SMTPServer.Encryption = .none, timeout: Duration = .seconds(20), login: Bool = true
    ) -> SMTPMailer {
        let server = SMTPServer(
            host: "127.0.0.1", port: port, encryption: encryption, login: login ? Self.login : nil, timeout: timeout)
        return SMTPMailer(server, sender: .sender)
    }

    private static let login: @Sendable () -> (user: String, password: String) = { ("mailer", "canary-7c1b") }

    @Test func arrivesAsItIs() async throws {
        try await MailServer.beside { server in
            try await mailer(port: server.port).send(hello)
            let mail = try #require(server.mails.first)
            #expect(mail.sender == "no-reply@example.com" && mail.recipients == ["ada@example.org"])
            #expect(mail.text.hasSuffix("\n\nOne\n.\n..two\nthree\n"))
            #expect(server.commands.contains("EHLO example.com"))
            #expect(server.commands.contains(Data("\0mailer\0canary-7c1b".utf8).base64EncodedString()))
        }
    }

    @Test func goesWithoutALoginWhereThereIsNone() async throws {
        try await MailServer.beside { server in
            try await mailer(port: server.port, login: false).send(hello)
            #expect(server.mails.count == 1 && !server.commands.contains { $0.hasPrefix("AUTH") })
        }
    }

    @Test func confidesNothingToAServerWithoutEncryption() async throws {
        try await MailServer.beside { server in
            let failure = await #expect(throws: MailFailure.self) { try await mailer(port: server.port, .startTLS).send(hello) }
            #expect(failure?.isPermanent == false)
            #expect(server.mails.isEmpty)
            #expect(!server.commands.contains { $0.hasPrefix("AUTH") || $0.hasPrefix("MAIL") }, "\(server.commands)")
        }
    }

    @Test func isEncryptedBeforeAnythingIsConfidedAndTheCertificateIsVerified() async throws {
        guard let openssl = Program.findOrWarn("openssl") else { return }
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let files = Certificates(folder: folder.path, openssl: openssl)
        try await files.make()
        try await MailServer.beside(certificates: files) { server in
            func mailer(_ host: String, _ authorities: String?) -> SMTPMailer {
                let place = SMTPServer(
                    host: host, port: server.port, encryption: .startTLS, login: Self.login, authorities: authorities.map(files.path))
                return SMTPMailer(place, sender: .sender)
            }
            for (host, authorities) in [("localhost", nil), ("localhost", "other-root.pem"), ("127.0.0.1", "root.pem")] {
                await #expect(throws: MailFailure.self) { try await mailer(host, authorities).send(hello) }
            }
            #expect(server.mails.isEmpty && !server.commands.contains { $0.hasPrefix("AUTH") })
            let before = server.commands.count
            try await mailer("localhost", "root.pem").send(hello)
            #expect(server.mails.count == 1)
            #expect(server.commands.dropFirst(before).prefix(4).map { $0.prefix(4) } == ["EHLO", "STAR", "EHLO", "AUTH"])
        }
    }

    @Test(arguments: [
        (MailServer.Manner.hangingUp, false), (.silent, false), (.refusing("EHLO", with: "554 go away"), false),
        (.refusing("AUTH", with: "535 wrong"), false), (.refusing("MAIL", with: "451 later"), false),
        (.refusing("RCPT", with: "550 canary-7c1b"), true), (.refusing("MAIL", with: "553 canary-7c1b"), true),
        (.refusing(".", with: "451 canary-7c1b"), false),
    ])
    func isNotTakenForSentWhenItWasRefused(manner: MailServer.Manner, isPermanent: Bool) async throws {
        try await MailServer.beside(manner) { server in
            let failure = await #expect(throws: MailFailure.self) {
                try await mailer(port: server.port, timeout: .milliseconds(500)).send(hello)
            }
            #expect(failure?.isPermanent == isPermanent, "\(failure?.description ?? "")")
            #expect(failure?.description.contains("canary") == false && failure?.description.contains("ada@") == false)
            #expect(server.mails.isEmpty)
        }
    }

    @Test func isNotTakenForSentWhenNobodyListens() async throws {
        var port = 0
        try await MailServer.beside { port = $0.port }
        await #expect(throws: MailFailure.self) { try await mailer(port: port).send(hello) }
    }

    @Test func endsWithItsTask() async throws {
        try await MailServer.beside(.silent) { server in
            let mailer = mailer(port: server.port, timeout: .seconds(600))
            let sending = Task { try await mailer.send(hello) }
            sending.cancel()
            await #expect(throws: CancellationError.self) { try await sending.value }
        }
    }

    @Test func doesNotHoldUpOthers() async throws {
        try await MailServer.beside { server in
            let mailer = mailer(port: server.port)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { try await mailer.send(hello) } }
                try await group.waitForAll()
            }
            #expect(server.mails.count == 20)
        }
    }
}

@Suite("Mail on a machine for development") struct LocalMail {
    private let hello = MailMessage(to: .ada, subject: "Hello", text: "https://example.com/#token=x")

    @Test func isAFileForItsOwnerAlone() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let place = folder.path + "/mail/out"
        for _ in 0..<2 { try await FolderMailer(folder: place, sender: .sender, logger: .silent).send(hello) }
        let names = try FileManager.default.contentsOfDirectory(atPath: place)
        #expect(names.count == 2 && names.allSatisfy { $0.hasSuffix(".eml") })
        let text = try String(contentsOfFile: "\(place)/\(names[0])", encoding: .utf8)
        #expect(text.contains("To: <ada@example.org>\r\n") && text.hasSuffix("\r\n\r\nhttps://example.com/#token=x\r\n"))
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(place)/\(names[0])")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func isAFailureWhereTheFolderCannotBe() async throws {
        await #expect(throws: (any Error).self) {
            try await FolderMailer(folder: "/dev/null/mail", sender: .sender, logger: .silent).send(hello)
        }
    }

    @Test func isALineOfTheLog() async throws {
        let log = LogRecorder()
        try await LogMailer(log.logger).send(hello)
        #expect(log.lines.first?.metadata["text"] == hello.text)
    }
}

extension Mailbox {
    fileprivate static let ada = known("ada@example.org")
    fileprivate static let sender = known("no-reply@example.com")

    private static func known(_ address: String) -> Mailbox {
        guard let mailbox = Mailbox(address) else { preconditionFailure("\(address) is no address") }
        return mailbox
    }
}
