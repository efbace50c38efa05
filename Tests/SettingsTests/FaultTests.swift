import Foundation
import MartletCore
import MartletSettings
import Testing

@Suite struct FaultsOfSettings {
    @Test func allAreReportedAtOnce() throws {
        let folder = try WorkFolder([".env": "LOG_LEVEL=loud\nnonsense\n"])
        let faults = folder.faults(["PORT": "70000", "MARTLET_PROT": "1"], flags: ["--debgu", "--host", "a b"])
        #expect(Set(faults.map(\.name)) == ["LOG_LEVEL", ".env line 2", "PORT", "MARTLET_PROT", "--debgu", "HOST"])
    }

    @Test func eachSaysTheVariableWhatWasFoundAndTheRepair() throws {
        let fault = try #require(try WorkFolder().faults(["PORT": "70000"]).first)
        #expect(fault.description == "PORT: found `70000` (environment). Give a whole number from 0 to 65535.")
    }

    @Test(arguments: [
        ("PORT", "-1"), ("PORT", "65536"), ("PORT", "9223372036854775808"), ("PORT", "٣"), ("PORT", "+1"), ("PORT", "1.5"),
        ("DEBUG", "maybe"), ("ENVIRONMENT", "prod"), ("HOST", "http://x"), ("REQUEST_TIMEOUT", "0"), ("REQUEST_TIMEOUT", "2d"),
        ("REQUEST_TIMEOUT", "9223372036854775807h"), ("REQUEST_TIMEOUT", "61m"), ("REQUEST_TIMEOUT", "-5s"), ("MAX_BODY_SIZE", "10MX"),
        ("MAX_BODY_SIZE", "0"), ("MAX_BODY_SIZE", "9223372036854775807GiB"), ("JWT_EXPIRE_MINUTES", "0"), ("JWT_EXPIRE_MINUTES", "1441"),
        ("JWT_EXPIRE_MINUTES", "30s"), ("PUBLIC_URL", "https://a.example/path"), ("PUBLIC_URL", "https://a.example/"),
        ("PUBLIC_URL", "ftp://a.example"), ("PUBLIC_URL", "https://a:b@c.example"), ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://a:0"),
        ("CORS_ORIGINS", "https://a.example,*"), ("CORS_ORIGINS", "null"), ("DATABASE_URL", "mysql://x"), ("DATABASE_URL", "sqlite:"),
        ("DATABASE_URL", "sqlite://host/a.db"), ("DATABASE_URL", "sqlite::memory:"), ("DATABASE_URL", "sqlite:a.db?mode=ro"),
        ("TLS_CERTIFICATE_FILE", "missing.pem"), ("MARTLET_CONFIG", "missing.json"), ("JWT_ISSUER", "a\u{0}b"),
        ("RATE_LIMIT_READS", "100"), ("RATE_LIMIT_READS", "0/s"), ("RATE_LIMIT_READS", "1000001/s"), ("RATE_LIMIT_READS", "5/0min"),
        ("RATE_LIMIT_READS", "5/25h"), ("RATE_LIMIT_READS", "5/d"), ("RATE_LIMIT_READS", "5/min/h"), ("RATE_LIMIT_READS", "-5/min"),
        ("RATE_LIMIT_READS", "5/9223372036854775807h"), ("RATE_LIMIT_READS", "5/ min"), ("RATE_LIMIT_FALLBACK", "shut"),
        ("RATE_LIMIT_LOGIN_FALLBACK", "shut"), ("TRUSTED_PROXIES", "proxy.example.org"), ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "10.0.0.0/8;::1"), ("TRUSTED_PROXIES", "*"),
        ("LOG_LEVELS", "martlet.jobs"), ("LOG_LEVELS", "martlet.jobs=loud"), ("LOG_LEVELS", "a b=info"), ("LOG_LEVELS", "a=info,a=debug"),
        ("LOG_LEVELS", "=info"), ("LOG_FILE_SIZE", "1KiB"), ("LOG_FILE_COUNT", "-1"),
    ])
    func aValueOutsideItsRuleIsRefused(name: String, value: String) throws {
        #expect(try WorkFolder().faults([name: value]).map(\.name) == [name])
    }

    @Test(arguments: [
        ("true", true), ("TRUE", true), ("1", true), ("yes", true), ("on", true), ("false", false), ("0", false), ("No", false),
        ("off", false),
    ])
    func booleansAreWrittenInManyWays(text: String, value: Bool) throws {
        #expect(try WorkFolder().load(["HTTP2": text]).http2 == value)
    }

    @Test(arguments: [
        ("30", Duration.seconds(30)), ("30s", .seconds(30)), ("500ms", .milliseconds(500)), ("2m", .seconds(120)), ("1h", .seconds(3600)),
    ])
    func durationsAreWrittenWithAUnit(text: String, value: Duration) throws {
        #expect(try WorkFolder().load(["REQUEST_TIMEOUT": text]).requestTimeout == value)
    }

    @Test(arguments: [
        ("100/s", 100, Duration.seconds(1)), ("100/min", 100, .seconds(60)), ("5/15min", 5, .seconds(900)),
        ("1000/h", 1000, .seconds(3600)),
        ("1/24h", 1, .seconds(86_400)), ("1000000/86400s", 1_000_000, .seconds(86_400)), ("7/90MIN", 7, .seconds(5400)),
    ])
    func ratesAreCallsInAPeriod(text: String, calls: Int, period: Duration) throws {
        let rate = try WorkFolder().load(["RATE_LIMIT_COSTLY": text]).costlyRate
        #expect(rate.calls == calls && rate.period == period)
        let again = try #require(try WorkFolder().load(["RATE_LIMIT_COSTLY": text]).lines.first { $0.name == "RATE_LIMIT_COSTLY" })
        #expect(try WorkFolder().load(["RATE_LIMIT_COSTLY": again.value]).costlyRate == rate)
    }

    @Test func trustedProxiesAreAddressesAndNetworks() throws {
        #expect(try WorkFolder().load().trustedProxies.isEmpty)
        let networks = try WorkFolder().load(["TRUSTED_PROXIES": " 10.0.0.0/8, 2001:DB8::1 ,192.0.2.7"]).trustedProxies
        #expect(networks.map(\.description) == ["10.0.0.0/8", "2001:db8::1", "192.0.2.7"])
    }

    @Test(arguments: [("1048576", 1_048_576), ("512KiB", 524_288), ("10MB", 10_000_000), ("1 GiB", 1 << 30), ("64b", 64)])
    func sizesAreBinaryOrDecimal(text: String, value: Int) throws {
        #expect(try WorkFolder().load(["MAX_BODY_SIZE": text]).maximumBodySize == value)
    }

    @Test func aCertificateNeedsItsKey() throws {
        let folder = try WorkFolder(["tls.pem": "x"])
        #expect(folder.faults(["TLS_CERTIFICATE_FILE": "tls.pem"]).map(\.name) == ["TLS_PRIVATE_KEY_FILE"])
        #expect(folder.faults(["TLS_PRIVATE_KEY_FILE": "tls.pem"]).map(\.name) == ["TLS_CERTIFICATE_FILE"])
        #expect(folder.faults(["TLS_CERTIFICATE_FILE": "tls.pem", "TLS_PRIVATE_KEY_FILE": "tls.pem"]).isEmpty)
    }

    @Test func everyOriginTogetherWithCredentialsIsRefused() throws {
        #expect(try WorkFolder().faults(["CORS_ORIGINS": "*"]).isEmpty)
        #expect(try WorkFolder().faults(["CORS_ORIGINS": "*", "CORS_CREDENTIALS": "true"]).map(\.name) == ["CORS_ORIGINS"])
    }

    @Test func argon2NeedsMemoryForEachLane() throws {
        #expect(try WorkFolder().faults(["ARGON2_MEMORY_KIB": "31", "ARGON2_PARALLELISM": "4"]).map(\.name) == ["ARGON2_MEMORY_KIB"])
    }
}

@Suite struct NamesOfSettings {
    @Test(arguments: [
        ("MARTLET_CONFG", "MARTLET_CONFIG"), ("MARTLET_PORT", "PORT"), ("MARTLET_JWT_SECRT_KEY", "JWT_SECRET_KEY"),
        ("MARTLET_TEST_ROUTE", "MARTLET_TEST_ROUTES"),
    ])
    func anUnknownNameOfOursGetsASuggestion(name: String, suggestion: String) throws {
        let fault = try #require(try WorkFolder().faults([name: "shown to nobody"]).first)
        #expect(fault.repair == "Did you mean \(suggestion)?")
        #expect(!fault.description.contains("shown to nobody"))
        #expect(try WorkFolder([".env": "\(name)=x"]).faults().first?.repair == fault.repair)
    }

    @Test func namesOfOtherProgramsAreLeftAlone() throws {
        #expect(
            try WorkFolder([".env": "POSTGRES_USER=x\n"]).faults([
                "PATH": "/bin", "PROT": "1", "MARTLET_FIXTURES": "x", "MARTLET_TEST_REDIS_URL": "x",
            ]).isEmpty)
    }

    @Test func aNameFarFromAllGetsNoSuggestion() throws {
        #expect(try WorkFolder().faults(["MARTLET_XYZZYPLUGH": "1"]).first?.repair.hasPrefix("Remove it") == true)
    }

    @Test(arguments: [("m.json", #"{"prot": 1}"#, "port"), ("m.yaml", "jwt:\n  isuer: me\n", "jwt_issuer")])
    func anUnknownKeyOfAFileGetsASuggestion(file: String, text: String, suggestion: String) throws {
        #expect(try WorkFolder([file: text]).faults(flags: ["--config", file]).map(\.repair) == ["Did you mean \(suggestion)?"])
    }

    @Test func aFileMayNotSetOneThingTwiceOrNameAnotherFile() throws {
        let folder = try WorkFolder(["m.json": #"{"port": 1, "PORT": 2, "martlet_config": "n.json"}"#])
        #expect(Set(folder.faults(flags: ["--config", "m.json"]).map(\.name)) == ["PORT", "martlet_config"])
    }

    @Test(arguments: ["{", "[1]", #"{"port": [{}]}"#, ""])
    func aFileThatIsNoObjectIsRefused(text: String) throws {
        let folder = try WorkFolder(["m.json": text, "m.toml": "port = 1"])
        #expect(folder.faults(flags: ["--config", "m.json"]).map(\.name) == ["MARTLET_CONFIG"])
        #expect(folder.faults(flags: ["--config", "m.toml"]).map(\.name) == ["MARTLET_CONFIG"])
    }

    @Test func aListWhereOneNumberIsExpectedIsRefused() throws {
        #expect(try WorkFolder(["m.json": #"{"port": [1, 2]}"#]).faults(flags: ["--config", "m.json"]).map(\.name) == ["PORT"])
    }

    @Test(arguments: [
        (["--prot", "1"], "--prot"), (["--port"], "--port"), (["--port", "--debug"], "--port"), (["9000"], "flags"),
        (["--port=1", "2"], "flags"),
        (["--port", "1", "2"], "flags"), (["--port", "1", "--port", "2"], "PORT"), (["--debug", "maybe"], "DEBUG"), (["-p", "1"], "flags"),
    ])
    func aFlagThatCannotBeUnderstoodIsRefused(flags: [String], name: String) throws {
        #expect(try WorkFolder().faults(flags: flags).contains { $0.name == name })
    }
}
