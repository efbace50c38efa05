import Foundation
import MartletSettings
import Synchronization
import Testing

@Suite struct SecretsAreNeverShown {
    @Test func notByPrintingDumpingOrReflecting() {
        let secret = Secret("a text nobody sees")
        var dumped = ""
        dump([secret], to: &dumped)
        let shown = [
            "\(secret)", String(reflecting: secret), String(describing: Optional(secret)), dumped,
            "\(Mirror(reflecting: secret).children.map { "\($0)" })",
        ]
        #expect(!shown.contains { $0.contains("nobody") })
        #expect("\(secret)" == "set (18 characters)")
        #expect(secret.unsafeReveal() == "a text nobody sees")
    }

    @Test func notByDumpingAllSettings() throws {
        let settings = try WorkFolder().load(production)
        var dumped = "\(settings)"
        dump(settings, to: &dumped)
        #expect(!dumped.contains("k3Jd8"))
    }

    @Test func notInFaults() throws {
        let faults = try WorkFolder([".env": "JWT_SECRET_KEY='half a secret\n"]).faults(production.with("SECRET_KEY", "short and secret"))
        #expect(faults.count == 2)
        #expect(faults.first { $0.name == "SECRET_KEY" }?.found == "set (16 characters) (environment)")
        #expect(!faults.contains { $0.description.contains("half a") || $0.description.contains("short and") })
    }
}

@Suite struct ProductionRefuses {
    @Test func nothingWhenAllIsSetWell() throws {
        #expect(try WorkFolder().faults(production).isEmpty)
    }

    @Test(arguments: ["production", "staging"])
    func missingSecrets(environment: String) throws {
        let folder = try WorkFolder()
        #expect(folder.faults(["ENVIRONMENT": environment]).map(\.name) == ["SECRET_KEY", "JWT_SECRET_KEY"])
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/var"))
    }

    @Test(arguments: [
        "short", "k3Jd8-sPq0ZxW7vLr2TnYb5HfGm9Ce4", "changeme-changeme-changeme-changeme-1", "your-256-bit-secret-your-256-bit-secret",
        "a-string-secret-at-least-256-bits-long", "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
        "django-insecure-8x!z7#k2@q9w4e5r6t7y8u9i0", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "k3Jd8sPq0ZxW7vLrk3Jd8sPq0ZxW7vLr",
        "CHANGE_ME_CHANGE_ME_TO_SOMETHING_ELSE", "abaabbbabababbaaabbababbaaabbbab1",
    ])
    func weakSecrets(secret: String) throws {
        #expect(try WorkFolder().faults(production.with("JWT_SECRET_KEY", secret)).map(\.name) == ["JWT_SECRET_KEY"])
        #expect(try WorkFolder().faults(production.with("JWT_SECRET_KEY", secret).with("ENVIRONMENT", "staging")).count == 1)
        #expect(try WorkFolder().faults(["JWT_SECRET_KEY": secret]).isEmpty)
    }

    @Test func noSecretOfItsOwnMaking() throws {
        for _ in 0..<200 {
            #expect(try WorkFolder().faults(production.with("SECRET_KEY", Secret.random().unsafeReveal())).isEmpty)
        }
    }

    @Test(arguments: [("DEBUG", "true"), ("MARTLET_TEST_ROUTES", "1"), ("CORS_ORIGINS", "*"), ("RATE_LIMIT_ENABLED", "false")])
    func whatHelpsOnlyWhileDeveloping(name: String, value: String) throws {
        #expect(try WorkFolder().faults(production.with(name, value)).map(\.name) == [name])
        #expect(try WorkFolder().faults([name: value]).isEmpty)
    }

    @Test func anUnknownEnvironmentAndMakesNoSecretsForIt() throws {
        let folder = try WorkFolder()
        #expect(folder.faults(["ENVIRONMENT": "prodution"]).map(\.name) == ["ENVIRONMENT"])
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/var"))
    }
}

@Suite struct KeepingSecrets {
    @Test func aMissingSecretIsMadeOnceAndKept() throws {
        let folder = try WorkFolder()
        let (first, second) = (try folder.load(), try folder.load())
        #expect(first.secretKey.unsafeReveal() == second.secretKey.unsafeReveal())
        #expect(first.secretKey.unsafeReveal() != first.jwtSecretKey.unsafeReveal())
        #expect(first.secretKey.unsafeReveal().wholeMatch(of: /[A-Za-z0-9_-]{43}/) != nil)
    }

    @Test func onlyItsOwnerMayOpenIt() throws {
        let folder = try WorkFolder()
        _ = try folder.load()
        #expect(try folder.permissions("var/secrets") == 0o700)
        #expect(try folder.permissions("var/secrets/SECRET_KEY") == 0o600)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/var/secrets").sorted() == ["JWT_SECRET_KEY", "SECRET_KEY"])
    }

    @Test func allWhoStartTogetherAgree() throws {
        let folder = try WorkFolder()
        for round in 0..<20 {
            let store = SecretStore(folder: "\(folder.path)/var/secrets")
            let answers = Mutex<[String]>([])
            DispatchQueue.concurrentPerform(iterations: 8) { _ in
                let answer = Result { try store.secret(named: "KEY\(round)").unsafeReveal() }
                answers.withLock { $0.append("\(answer)") }
            }
            #expect(Set(answers.withLock { $0 }).count == 1)
            #expect(answers.withLock { $0.first?.hasPrefix("success") } == true)
        }
    }

    @Test func aFileOthersMayOpenIsRefused() throws {
        let folder = try WorkFolder()
        _ = try folder.load()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(folder.path)/var/secrets/SECRET_KEY")
        #expect(folder.faults().map(\.name) == ["SECRET_KEY"])
        #expect(folder.faults().first?.repair.contains("chmod 600") == true)
    }

    @Test func aDamagedFileAndALinkAreRefused() throws {
        let folder = try WorkFolder()
        _ = try folder.load()
        try FileManager.default.removeItem(atPath: "\(folder.path)/var/secrets/JWT_SECRET_KEY")
        try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/var/secrets/JWT_SECRET_KEY", withDestinationPath: "SECRET_KEY")
        #expect(folder.faults().map(\.name) == ["JWT_SECRET_KEY"])
        #expect(
            FileManager.default.createFile(
                atPath: "\(folder.path)/var/secrets/SECRET_KEY", contents: Data(), attributes: [.posixPermissions: 0o600]))
        #expect(folder.faults().map(\.name) == ["SECRET_KEY", "JWT_SECRET_KEY"])
    }
}
