import HTTPTypes
import MartletAudit
import MartletAuditAPI
import MartletContract
import MartletCore
import MartletHTTP
import MartletIdentityAPI
public import MartletSecrets
import MartletStorage

/// The second factor: turning it on and off, logging in with it, and proving it again.
extension IdentityService {
    /// The columns of sealed values, for ``SecretRotation``.
    public static var sealedColumns: [SealedColumn] { [SecondFactorStore.secrets] }

    var mfaRoutes: [Route] {
        [
            serve(open: MFAAPI.login) { login, call in
                try cookies.checkOrigin(of: call.request, isCookie: login.cookie == true)
                return try await finish(login, call)
            },
            serve(MFAAPI.status) { _, caller in try await secondFactors(database).status(of: caller.id) },
            serve(replying: MFAAPI.begin) { _, caller, _ in Reply(try await beginMFA(caller), fields: [.cacheControl: "no-store"]) },
            serve(replying: MFAAPI.confirm) { confirmation, caller, _ in
                Reply(try await confirmMFA(confirmation.code, caller), fields: [.cacheControl: "no-store"])
            },
            serve(MFAAPI.disable) { _, caller in try await disableMFA(caller) },
            serve(replying: MFAAPI.recoveryCodes) { _, caller, _ in
                Reply(try await replaceRecoveryCodes(caller), fields: [.cacheControl: "no-store"])
            },
            serve(MFAAPI.devices) { _, caller in try await RememberedDeviceStore(database).list(of: caller.id, at: clock.now) },
            serve(MFAAPI.forgetDevice) { device, caller in
                try await forget(device.id, of: caller.id)
                return NoContent()
            },
            serve(replying: MFAAPI.stepUp) { proof, caller, _ in
                Reply(try await stepUp(proof, caller), fields: [.cacheControl: "no-store"])
            },
        ]
    }

    private func secondFactors(_ database: any Queries) -> SecondFactorStore { SecondFactorStore(database, secrets) }
}

// MARK: Logging in

extension IdentityService {
    /// What follows the right password: a session, or the question for a second factor.
    func answer(to account: AccountStore.Credentials, _ login: Login, _ call: Call) async throws -> Reply<LoginAnswer> {
        guard try await needsSecondFactor(account.user, login, call) else {
            let reply = try await reply(
                to: account.user, login.cookie == true, call, provenBy: account.passwordHash,
                recording: AuditEvent(.loggedIn, by: .account(account.user.id)))
            return Reply(.session(reply.output), fields: reply.fields)
        }
        let token = MFAToken.random()
        try await MFAChallengeStore(database).open(token, for: account.user.id, at: clock.now)
        let challenge = MFAChallenge(mfaToken: token, expiresIn: Int(MFAChallengeStore.lifetime.components.seconds))
        return Reply(.secondFactorNeeded(challenge), fields: [.cacheControl: "no-store"])
    }

    private func needsSecondFactor(_ user: User, _ login: Login, _ call: Call) async throws -> Bool {
        guard try await SecondFactorStore.isOn(for: user.id, in: database) else { return false }
        guard let device = cookies.device(of: call.request, orGiven: login.deviceToken, isCookie: login.cookie == true) else { return true }
        return try await !RememberedDeviceStore(database).recognise(device, of: user.id, at: clock.now)
    }

    private func finish(_ login: MFALogin, _ call: Call) async throws -> Reply<Session> {
        let account = try await MFAChallengeStore(database).account(of: login.mfaToken, at: clock.now)
        guard login.code != nil || login.recoveryCode != nil else {
            throw Failure.invalid([Fault(pointer: "/code", code: "missing", message: "Give a code or a recovery code.")])
        }
        try await takeGuess(of: account)
        let (token, device) = (RefreshToken.random(), login.rememberDevice == true ? DeviceToken.random() : nil)
        let origin = SessionOrigin(call)
        let session = try await beginSession(
            with: token, of: account, from: origin, recording: login.loggedIn(account)
        ) { transaction in
            try await MFAChallengeStore(transaction).claim(login.mfaToken, at: clock.now)
            let proof = try await use(login, of: account, in: transaction)
            try await GuessStore.forget(of: account, in: transaction)
            if let device {
                try await RememberedDeviceStore(transaction).remember(device, named: origin.device, of: account, at: clock.now)
            }
            return proof
        }
        let user = try await AccountStore(database).find(account)
        return remembering(device, try await reply(to: user, of: session, with: token, login.cookie == true), login.cookie == true)
    }

    /// Uses up the code that was given; a wrong one undoes the transaction, and the login can be tried again.
    private func use(_ login: MFALogin, of account: Identifier<Account>, in transaction: any Transaction) async throws -> Authentication {
        let (store, now) = (secondFactors(transaction), clock.now)
        if let code = login.code {
            if try await store.use(code, of: account, at: now) { return .passwordAndCode(at: now) }
        } else if let code = login.recoveryCode {
            if try await store.use(code, of: account, at: now) { return .passwordAndRecoveryCode(at: now) }
        }
        audit.note(.loginFailed(as: account))
        throw Failure.unauthenticated("invalid_code", "The code is wrong, has been used, or is over.")
    }

    private func takeGuess(of account: Identifier<Account>) async throws {
        do {
            try await GuessStore(database).take(of: account, at: clock.now)
        } catch let failure as Failure where failure.kind == .limited {
            audit.note(AuditEvent(.guessesLimited, on: .account(account), outcome: .refused))
            throw failure
        }
    }

    private func remembering(_ device: DeviceToken?, _ reply: Reply<Session>, _ wantsCookie: Bool) -> Reply<Session> {
        guard let device else { return reply }
        var reply = reply
        if wantsCookie {
            reply.fields.append(contentsOf: cookies.setting(device))
        } else {
            reply.output.deviceToken = device
        }
        return reply
    }
}

// MARK: Turning it on and off

extension IdentityService {
    private func beginMFA(_ caller: Caller) async throws -> MFASetup {
        let user = try await AccountStore(database).find(caller.id)
        let secret = TOTP.randomSecret()
        try await secondFactors(database).begin(secret, for: caller.id, at: clock.now)
        let uri = TOTP.uri(of: secret, account: user.email.raw, issuer: policy.tokens.issuer)
        return MFASetup(secret: Base32.encode(secret), uri: uri, svg: try QRCode.svg(of: uri))
    }

    private func confirmMFA(_ code: TOTPCode, _ caller: Caller) async throws -> RecoveryCodes {
        try await database.transaction(isolation: .readCommitted) { transaction in
            let (store, now) = (secondFactors(transaction), clock.now)
            try await store.confirm(code, of: caller.id, at: now)
            try await RememberedDeviceStore(transaction).forgetAll(of: caller.id)
            let codes = try await store.replaceRecoveryCodes(of: caller.id, at: now)
            try await audit.record(AuditEvent(.mfaEnabled, on: .account(caller.id)), in: transaction)
            return RecoveryCodes(recoveryCodes: codes)
        }
    }

    private func disableMFA(_ caller: Caller) async throws -> NoContent {
        guard !policy.requiresSecondFactor(try await RoleStore(database, roles).roles(of: caller.id).roles) else {
            throw Failure.conflict("mfa_required", "An account with such a role must have a second factor.")
        }
        try await database.transaction(isolation: .readCommitted) { transaction in
            try await secondFactors(transaction).remove(from: caller.id)
            try await RememberedDeviceStore(transaction).forgetAll(of: caller.id)
            try await audit.record(AuditEvent(.mfaDisabled, on: .account(caller.id)), in: transaction)
        }
        return NoContent()
    }

    private func forget(_ device: Identifier<RememberedDevice>, of account: Identifier<Account>) async throws {
        try await database.transaction(isolation: .readCommitted) { transaction in
            try await RememberedDeviceStore(transaction).forget(device, of: account)
            try await audit.record(
                AuditEvent(.deviceForgotten, on: .account(account), before: ["device": .text("\(device)")]), in: transaction)
        }
    }

    private func replaceRecoveryCodes(_ caller: Caller) async throws -> RecoveryCodes {
        try await database.transaction(isolation: .readCommitted) { transaction in
            guard try await SecondFactorStore.isOn(for: caller.id, in: transaction) else {
                throw Failure.conflict("mfa_not_enabled", "The second factor is off: there is nothing to recover.")
            }
            let codes = try await secondFactors(transaction).replaceRecoveryCodes(of: caller.id, at: clock.now)
            try await audit.record(AuditEvent(.recoveryCodesReplaced, on: .account(caller.id)), in: transaction)
            return RecoveryCodes(recoveryCodes: codes)
        }
    }
}

// MARK: Proving it again

extension IdentityService {
    private func stepUp(_ proof: StepUp, _ caller: Caller) async throws -> FreshAccess {
        guard let session = caller.session else {
            throw Failure.forbidden("session_missing", "This access token belongs to no session: log in again.")
        }
        if try await SecondFactorStore.isOn(for: caller.id, in: database) {
            try await prove(try given(proof.code, "/code"), session, caller)
        } else {
            try await prove(try given(proof.password, "/password"), session, caller)
        }
        let (access, _) = try await accessToken(of: caller.id, in: session)
        return FreshAccess(accessToken: access, expiresIn: Int(policy.tokens.lifetime.components.seconds))
    }

    private func given<Value>(_ value: Value?, _ pointer: String) throws(Failure) -> Value {
        guard let value else {
            throw .invalid([Fault(pointer: pointer, code: "missing", message: "This account is proven with this field.")])
        }
        return value
    }

    private func prove(_ code: TOTPCode, _ session: Identifier<LoginSession>, _ caller: Caller) async throws {
        try await takeGuess(of: caller.id)
        try await database.transaction(isolation: .readCommitted) { transaction in
            let now = clock.now
            guard try await secondFactors(transaction).use(code, of: caller.id, at: now) else {
                audit.note(AuditEvent(.steppedUp, on: .account(caller.id), outcome: .failed))
                throw SecondFactorStore.wrong
            }
            try await note(.passwordAndCode(at: now), session, caller, in: transaction)
        }
    }

    private func prove(_ password: GivenPassword, _ session: Identifier<LoginSession>, _ caller: Caller) async throws {
        try await takeGuess(of: caller.id)
        let hash = try await AccountStore(database).credentials(of: caller.id).passwordHash
        guard try await hasher.verify(password.raw, against: hash) else {
            audit.note(AuditEvent(.steppedUp, on: .account(caller.id), outcome: .failed))
            throw Failure.forbidden("invalid_password", "The password is wrong.")
        }
        try await database.transaction(isolation: .readCommitted) { transaction in
            try await note(.password(at: clock.now), session, caller, in: transaction)
        }
    }

    private func note(
        _ proof: Authentication, _ session: Identifier<LoginSession>, _ caller: Caller, in transaction: any Transaction
    ) async throws {
        try await GuessStore.forget(of: caller.id, in: transaction)
        try await SessionProofStore(transaction).note(proof, of: session, account: caller.id)
        try await audit.record(AuditEvent(.steppedUp, on: .account(caller.id), after: ["session": .text("\(session)")]), in: transaction)
    }
}

extension MFALogin {
    fileprivate func loggedIn(_ account: Identifier<Account>) -> AuditEvent {
        AuditEvent(.loggedIn, by: .account(account), after: ["second_factor": code == nil ? "recovery code" : "code"])
    }
}
