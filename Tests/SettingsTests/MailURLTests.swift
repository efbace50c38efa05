import MartletSettings
import Testing

@Suite struct MailByItsURL {
    private func server(_ url: String) throws -> MailServerURL? {
        guard case .server(let server) = try WorkFolder().load(["MAIL_URL": url]).mailURL else { return nil }
        return server
    }

    @Test func namesTheServer() throws {
        let plain = try #require(try server("smtp://Mail.example.org"))
        #expect(plain.host == "mail.example.org" && plain.port == 587 && !plain.isEncryptedAtOnce && plain.unsafeRevealLogin() == nil)
        let full = try #require(try server("smtps://me%40x:p%3Aw%2F%25@[2001:db8::1]:2465?ca_file=/etc/ca.pem"))
        #expect(full.host == "[2001:db8::1]" && full.port == 2465 && full.isEncryptedAtOnce && full.authorities == "/etc/ca.pem")
        #expect(full.unsafeRevealLogin()?.user == "me@x" && full.unsafeRevealLogin()?.password == "p:w/%")
        #expect(try #require(try server("smtps://mail.example.org")).port == 465)
    }

    @Test(arguments: [
        ("localhost", true), ("127.0.0.1", true), ("127.3.2.1", true), ("[::1]", true), ("10.0.0.1", false), ("mail.example.org", false),
        ("localhost.example.org", false), ("127.0.0.1.example.org", false),
    ])
    func tellsWhetherTheServerIsOnThisMachine(_ host: String, _ isLoopback: Bool) throws {
        #expect(try #require(try server("smtp://\(host):25")).isLoopback == isLoopback)
    }

    @Test func mayBeAFolderTheLogOrNothing() throws {
        #expect(try WorkFolder().load(["MAIL_URL": "file:///var/mail"]).mailURL == .folder(path: "/var/mail"))
        #expect(try WorkFolder().load(["MAIL_URL": "none"]).mailURL == .nowhere)
        #expect(try WorkFolder().load(["MAIL_URL": "log:"]).mailURL == .log)
        let folder = try WorkFolder()
        #expect(try folder.load().mailURL == .folder(path: "\(folder.path)/var/mail"))
        #expect(try folder.load(["MAIL_URL": "file:mail"]).mailURL == .folder(path: "\(folder.path)/mail"))
        #expect(try WorkFolder().load(production).mailURL == .nowhere)
    }

    @Test(arguments: [
        ("http://mail", "smtp://"), ("smtp:mail", "smtp://"), ("smtp://", "host"), ("smtp://ma il", "host"), ("smtp://mail:0", "port"),
        ("smtp://mail:25/x", "port"), ("smtp://hunter2@mail", "user:password"), ("smtp://me:@mail", "user:password"),
        ("smtp://me:hunt@er2@mail", "%40"), ("smtp://me:hunt:er2@mail", "%3A"), ("smtp://me:hunter2%4@mail", "%25"),
        ("smtp://me:hunter2%0D%0A@mail", "user:password"), ("smtp://mail?verify=no", "ca_file"), ("smtp://mail?ca_file=x", "ca_file"),
        ("file://folder", "file:///"), ("file:///", "file:///"), ("file:///a?b", "file:///"),
    ])
    func isRefusedWhenMalformedAndTheRepairSaysWhatIsWrong(url: String, repair: String) throws {
        let fault = try #require(try WorkFolder().faults(["MAIL_URL": url]).first)
        #expect(fault.name == "MAIL_URL")
        #expect(fault.repair.contains(repair))
        for part in ["hunt", "er2"] { #expect(!fault.description.contains(part)) }
    }

    @Test func isNeverShownWithItsPassword() throws {
        let settings = try WorkFolder().load(["MAIL_URL": "smtp://me:hunter2@mail:25"])
        var dumped = ""
        dump(settings.mailURL, to: &dumped)
        #expect("\(settings.mailURL)" == "smtp://…@mail:25")
        for text in [dumped, String(reflecting: settings.mailURL), settings.describe()] { #expect(!text.contains("hunter2")) }
    }

    @Test(arguments: [
        ("production", "log:", ["MAIL_URL", "PUBLIC_URL"]), ("staging", "log:", ["MAIL_URL", "PUBLIC_URL"]),
        ("production", "file:///tmp/mail", ["MAIL_URL", "PUBLIC_URL"]), ("staging", "file:///tmp/mail", ["PUBLIC_URL"]),
        ("production", "smtp://mail", ["MAIL_FROM", "PUBLIC_URL"]), ("development", "smtp://mail", []), ("production", "none", []),
    ])
    func needsOutsideDevelopmentWhatMailNeeds(environment: String, url: String, faulty: [String]) throws {
        let faults = try WorkFolder().faults(production.with("ENVIRONMENT", environment).with("MAIL_URL", url))
        #expect(Set(faults.map(\.name)) == Set(faulty))
        let whole = production.with("MAIL_URL", "smtp://mail").with("MAIL_FROM", "no-reply@example.org")
        #expect(try WorkFolder().faults(whole.with("PUBLIC_URL", "https://example.org")).isEmpty)
    }

    @Test(arguments: ["ada", "ada@example", "Ada <ada@example.org>", "ada@example.org,bob@example.org"])
    func comesFromOneAddress(sender: String) throws {
        #expect(try WorkFolder().faults(["MAIL_FROM": sender]).map(\.name) == ["MAIL_FROM"])
    }
}
