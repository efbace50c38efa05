import MartletSettings
import Testing

@Suite struct WhereSettingsComeFrom {
    @Test func nothingSetGivesTheDefaults() throws {
        let settings = try WorkFolder().load()
        #expect(settings.environment == .development)
        #expect(settings.host == "127.0.0.1")
        #expect(settings.port == 8080)
        #expect(settings.publicURL == nil)
        #expect(settings.requestTimeout == .seconds(30))
        #expect(settings.maximumBodySize == 1_048_576)
        #expect(settings.jwtExpiration == .seconds(1800))
        #expect(settings.refreshExpiration == .seconds(30 * 86_400))
        #expect(settings.slowStatement == .milliseconds(200))
        #expect(settings.sqliteSynchronous == .full)
        #expect(settings.corsOrigins == .only([]))
        #expect(settings.logFormat == .auto)
        #expect(settings.argon2Memory == 19_456)
    }

    @Test func aFlagIsStrongerThanTheEnvironmentThanTheDotFileThanTheConfigurationFile() throws {
        let folder = try WorkFolder(["settings.yaml": "port: 4\n", ".env": "PORT=3\nMARTLET_CONFIG=settings.yaml\n"])
        #expect(try folder.load(["PORT": "2"], flags: ["--port", "1"]).port == 1)
        #expect(try folder.load(["PORT": "2"]).port == 2)
        #expect(try folder.load().port == 3)
        try folder.write("MARTLET_CONFIG=settings.yaml", to: ".env")
        #expect(try folder.load().port == 4)
        try folder.write("", to: ".env")
        #expect(try folder.load().port == 8080)
    }

    @Test func anEmptyValueCountsAsNotSet() throws {
        let folder = try WorkFolder([".env": "PORT=3\nHOST=\n"])
        let settings = try folder.load(["PORT": "", "HOST": "  ", "LOG_LEVEL": ""], flags: ["--port="])
        #expect(settings.port == 3)
        #expect(settings.host == "127.0.0.1")
    }

    @Test(arguments: [["--port", "9000", "--debug"], ["--port=9000", "--debug=true"], ["--debug", "--port", "9000"]])
    func flagsAreWrittenWithASpaceOrAnEqualsSign(flags: [String]) throws {
        let settings = try WorkFolder().load(flags: flags)
        #expect(settings.port == 9000)
        #expect(settings.debug)
    }

    @Test func aListOfOriginsSurvivesAsAFlag() throws {
        let settings = try WorkFolder().load(flags: ["--cors-origins", "https://a.example,http://localhost:3000"])
        #expect(settings.corsOrigins == .only(["https://a.example", "http://localhost:3000"].compactMap { WebOrigin($0) }))
    }

    @Test func aConfigurationFileMayBeJSONWithNumbersBooleansAndLists() throws {
        let json = """
            {"port": 9000, "DEBUG": true, "jwt": {"issuer": "me"}, "cors_origins": ["https://a.example", "https://b.example"], "host": null}
            """
        let settings = try WorkFolder(["martlet.json": json]).load(flags: ["--config", "martlet.json"])
        #expect(settings.port == 9000)
        #expect(settings.debug)
        #expect(settings.jwtIssuer == "me")
        #expect(settings.corsOrigins == .only(["https://a.example", "https://b.example"].compactMap { WebOrigin($0) }))
    }

    @Test func aConfigurationFileMayBeYAML() throws {
        let yaml = "# ours\nport: 9000\nhttp2: yes\nrequest_timeout: 2m\njwt:\n  issuer: me\n"
        let settings = try WorkFolder(["martlet.yml": yaml]).load(["MARTLET_CONFIG": "martlet.yml"])
        #expect(settings.port == 9000)
        #expect(settings.http2)
        #expect(settings.requestTimeout == .seconds(120))
        #expect(settings.jwtIssuer == "me")
    }

    @Test(arguments: zip(Settings.Environment.allCases, [(true, false), (true, true), (false, true), (false, true)]))
    func someDefaultsDependOnTheEnvironment(environment: Settings.Environment, expected: (migrates: Bool, secure: Bool)) throws {
        let settings = try WorkFolder().load(production.with("ENVIRONMENT", environment.rawValue))
        #expect(settings.migrateOnStart == expected.migrates)
        #expect(settings.cookieSecure == expected.secure)
    }

    @Test func relativePathsStartFromTheWorkingFolder() throws {
        let folder = try WorkFolder()
        #expect(try folder.load().databaseURL == .sqlite(path: "\(folder.path)/var/martlet.db"))
        #expect(try folder.load().documentationAssets == "\(folder.path)/var/assets/swagger-ui")
        #expect(try folder.load(["DATABASE_URL": "sqlite:///data/a.db"]).databaseURL == .sqlite(path: "/data/a.db"))
    }

    @Test func eachSettingTellsWhereItCameFromAndSecretsOnlyTheirLength() throws {
        let folder = try WorkFolder([".env": "LOG_LEVEL=debug\n", "m.json": #"{"log_format": "json"}"#])
        let secret = "correct horse battery staple and so on"
        let settings = try folder.load(["SECRET_KEY": secret, "MARTLET_CONFIG": "m.json"], flags: ["--port", "1"])
        let origins = Dictionary(uniqueKeysWithValues: settings.lines.map { ($0.name, $0.origin) })
        #expect(origins["PORT"] == .flag)
        #expect(origins["SECRET_KEY"] == .environment)
        #expect(origins["LOG_LEVEL"] == .environmentFile)
        #expect(origins["LOG_FORMAT"] == .configurationFile("m.json"))
        #expect(origins["JWT_SECRET_KEY"] == .generated)
        #expect(origins["HOST"] == .default)
        #expect(settings.describe().contains(/SECRET_KEY +set \(38 characters\) +environment/))
        #expect(!settings.describe().contains(secret))
        #expect(settings.lines.map(\.name) == Settings.declaration.map(\.name))
    }

    @Test(arguments: [
        ("HTTPS://App.Example:443", "https://app.example"), ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ])
    func originsAreKeptAsBrowsersSendThem(text: String, origin: String) throws {
        #expect(try WorkFolder().load(["PUBLIC_URL": text]).publicURL?.description == origin)
    }

    @Test func aCopyMayBeChanged() throws {
        var settings = try WorkFolder().load()
        settings.port = 0
        #expect(settings.port == 0)
    }
}
