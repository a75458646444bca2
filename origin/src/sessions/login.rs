//! Logging in: one answer and one timing whatever is wrong; limits first; never a token that a
//! cut-off has already revoked.

use secrecy::SecretString;
use shared::{LEEWAY_SECS, UnixSeconds};

use super::refresh_token::token_hash;
use super::scope::{self, Wanted};
use super::{Caller, FIRST_PARTY, TokenResponse, access_token, ends_at};
use crate::address::parse_email;
use crate::app::App;
use crate::clock::wait_until;
use crate::error::ApiError;
use crate::limits::Attempt;
use crate::passwords::Verdict;
use crate::random;
use crate::store::audit::{self, Event};
use crate::store::clients::{self, Locked};
use crate::store::sessions::Session;
use crate::store::users::User;
use crate::store::{self, Transaction, password_hashes, refresh_tokens, revocations, sessions};

/// A cut-off is at most the second after that of a token which is accepted now; one further away is
/// a clock gone wrong.
const MAX_WAIT_SECS: u64 = LEEWAY_SECS + 2;
/// How often a password is checked anew when it keeps changing meanwhile.
const MAX_CHECKS: u32 = 3;

#[derive(Debug)]
pub struct Credentials<'a> {
    pub email: &'a str,
    pub password: &'a SecretString,
    pub client_id: &'a str,
    pub scope: Wanted<'a>,
    pub renewal: Renewal,
}

/// How a session goes on when its access token has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    ByRefreshToken,
    /// It does not: it ends with its one token.
    None,
}

/// Begins a session: the answer of `/login`, and of `/token` with `password` (RFC 6749, section 4.3).
/// Where a cut-off lies within this second, it waits for the next.
///
/// Errors: `InvalidCredentials` for an unknown address, a wrong password and a disabled user alike;
/// `TooManyAttempts`, `InvalidScope`, `InvalidClient` (disabled meanwhile), `PasswordsBusy`, `CutOffAhead`,
/// `NoSigningKey`.
pub async fn log_in(
    app: &App,
    credentials: &Credentials<'_>,
    caller: &Caller,
) -> Result<TokenResponse, ApiError> {
    let ended = attempt(app, credentials, caller).await;
    let outcome = ended.as_ref().err().map_or("succeeded", ApiError::code);
    metrics::counter!("portcullis_log_ins_total", "outcome" => outcome).increment(1);
    ended
}

async fn attempt(
    app: &App,
    credentials: &Credentials<'_>,
    caller: &Caller,
) -> Result<TokenResponse, ApiError> {
    let attempt = Attempt::begin(app, credentials.email, &caller.address).await?;
    match try_log_in(app, credentials, caller).await {
        Ok(response) => {
            attempt.succeed(app).await?;
            Ok(response)
        }
        Err(ApiError::InvalidCredentials) => {
            attempt.fail(app).await?;
            insert_failure(app, credentials.email, caller).await?;
            Err(ApiError::InvalidCredentials)
        }
        // Nobody's fault but ours: an outage must not lock an account.
        Err(error) => {
            if let Err(uncounted) = attempt.forgive(app).await {
                tracing::debug!(error = %uncounted, "an attempt that was none stays counted");
            }
            Err(error)
        }
    }
}

/// Between the check of a password, which takes long, and the session the password may be changed:
/// then what counts is the new one.
async fn try_log_in(
    app: &App,
    credentials: &Credentials<'_>,
    caller: &Caller,
) -> Result<TokenResponse, ApiError> {
    for _ in 0..MAX_CHECKS {
        let proven = authenticate(app, credentials)
            .await?
            .ok_or(ApiError::InvalidCredentials)?;
        if let Some(response) = begin_session(app, &proven, credentials, caller).await? {
            return Ok(response);
        }
    }
    Err(ApiError::InvalidCredentials)
}

/// A user whose password was right when its hash was this one.
struct Proven {
    user_id: String,
    hash: String,
}

/// `None` for an unknown address, a wrong password and a disabled user alike.
async fn authenticate(
    app: &App,
    credentials: &Credentials<'_>,
) -> Result<Option<Proven>, ApiError> {
    let found = match parse_email(credentials.email) {
        Ok(email) => password_hashes::find_by_email(&app.pool, &email).await?,
        Err(_) => None,
    };
    let stored = found.as_ref().map(|(_, hash)| hash.as_str());
    let verdict = app.passwords.verify(credentials.password, stored).await?;
    let Some((user, hash)) = found else {
        return Ok(None);
    };
    let hash = match verdict {
        Verdict::Wrong => return Ok(None),
        Verdict::Right => hash,
        Verdict::RightAndRehashed(new) => {
            password_hashes::rehash(&app.pool, &user.id, &hash, &new).await?;
            new
        }
    };
    Ok(user.disabled_at.is_none().then_some(Proven {
        user_id: user.id,
        hash,
    }))
}

async fn insert_failure(app: &App, email: &str, caller: &Caller) -> Result<(), ApiError> {
    let now = app.clock.now();
    let account = crate::limits::account_key(email);
    let mut tx = store::begin(&app.pool).await?;
    let record = audit::Record {
        subject: Some(&account),
        address: Some(&caller.address),
        ..audit::Record::new(random::new_id()?, Event::LogInFailed)
    };
    audit::insert(&mut tx, &record, now).await?;
    store::commit(tx).await?;
    Ok(())
}

/// `None` if what was proven does not hold any more.
async fn begin_session(
    app: &App,
    proven: &Proven,
    credentials: &Credentials<'_>,
    caller: &Caller,
) -> Result<Option<TokenResponse>, ApiError> {
    loop {
        let now = app.clock.now();
        let mut tx = store::begin(&app.pool).await?;
        // From here on a log-out of all sessions waits for us, or we have waited for it.
        let locked =
            password_hashes::lock_for_login(&mut tx, &proven.user_id, &proven.hash, now).await?;
        let Some(user) = locked else {
            return Ok(None);
        };
        match revocations::find_cut_off(&mut tx, app.issuer.name(), &user.id).await? {
            Some(cut_off) if cut_off > now.as_secs() => {
                store::rollback(tx).await?;
                wait_for_cut_off(app, UnixSeconds::from_secs(cut_off)).await?;
            }
            _ => {
                let (sid, begun) = insert_session(app, tx, &user, credentials, caller, now).await?;
                let Some(cut_off) = find_later_cut_off(app, now).await? else {
                    return Ok(Some(begun));
                };
                // Nobody was told of that session.
                close_session(app, &sid, caller).await?;
                wait_for_cut_off(app, cut_off).await?;
            }
        }
    }
}

/// A token issued now would be revoked at birth, and one dated ahead is refused elsewhere.
pub(crate) async fn wait_for_cut_off(app: &App, cut_off: UnixSeconds) -> Result<(), ApiError> {
    if cut_off > app.clock.now().plus_secs(MAX_WAIT_SECS) {
        return Err(ApiError::CutOffAhead);
    }
    wait_until(&*app.clock, cut_off).await;
    Ok(())
}

/// A cut-off of everyone takes no lock: it may have come between the look and the commit, and then
/// nobody must get the token that it revoked.
pub(crate) async fn find_later_cut_off(
    app: &App,
    issued_at: UnixSeconds,
) -> Result<Option<UnixSeconds>, ApiError> {
    let cut_off = revocations::find_cut_off_of_everyone(&app.pool, app.issuer.name()).await?;
    Ok(cut_off
        .filter(|cut_off| *cut_off > issued_at.as_secs())
        .map(UnixSeconds::from_secs))
}

/// Its beginning is in the audit log, so its end is as well.
async fn close_session(app: &App, sid: &str, caller: &Caller) -> Result<(), ApiError> {
    let mut tx = store::begin(&app.pool).await?;
    let now = app.clock.now();
    sessions::close(&mut tx, sid, now).await?;
    let record = audit::Record {
        subject: Some(&format!("session:{sid}")),
        address: Some(&caller.address),
        detail: Some("a cut-off of everyone came first"),
        ..audit::Record::new(random::new_id()?, Event::SessionClosed)
    };
    audit::insert(&mut tx, &record, now).await?;
    store::commit(tx).await?;
    Ok(())
}

async fn insert_session(
    app: &App,
    mut tx: Transaction,
    user: &User,
    credentials: &Credentials<'_>,
    caller: &Caller,
    now: UnixSeconds,
) -> Result<(String, TokenResponse), ApiError> {
    let session = new_session(app, user, credentials, caller, now)?;
    if credentials.client_id != FIRST_PARTY {
        // Whoever disables the client waits for us, or we have waited: no session is overlooked.
        let locked = clients::lock_for_token(&mut tx, credentials.client_id, now).await?;
        if locked == Locked::NotThere {
            return Err(ApiError::InvalidClient);
        }
    }
    sessions::insert(&mut tx, &session).await?;
    let refresh_token = match credentials.renewal {
        Renewal::ByRefreshToken => Some(insert_refresh_token(app, &mut tx, &session, now).await?),
        Renewal::None => None,
    };
    let record = audit::Record {
        actor: Some(&super::user_actor(&user.id)),
        subject: Some(&format!("session:{}", session.sid)),
        address: Some(&caller.address),
        ..audit::Record::new(random::new_id()?, Event::LoggedIn)
    };
    audit::insert(&mut tx, &record, now).await?;
    let response = access_token(app, user, &session, session.scope.clone(), now)?;
    store::commit(tx).await?;
    let response = TokenResponse {
        refresh_token,
        ..response
    };
    Ok((session.sid, response))
}

fn new_session(
    app: &App,
    user: &User,
    credentials: &Credentials<'_>,
    caller: &Caller,
    now: UnixSeconds,
) -> Result<Session, ApiError> {
    let life_secs = match credentials.renewal {
        Renewal::ByRefreshToken => app.config.tokens.refresh_token_secs,
        Renewal::None => app.config.tokens.access_token_secs,
    };
    Ok(Session {
        sid: random::new_id()?,
        user_id: user.id.clone(),
        client_id: credentials.client_id.to_owned(),
        scope: scope::grant(user, credentials.scope)?,
        user_agent: caller.user_agent.clone(),
        address: Some(caller.address.clone()),
        created_at: now,
        last_seen_at: now,
        expires_at: now.plus_secs(life_secs),
        revoked_at: None,
    })
}

async fn insert_refresh_token(
    app: &App,
    tx: &mut Transaction,
    session: &Session,
    now: UnixSeconds,
) -> Result<String, ApiError> {
    let token = random::new_secret()?;
    let hash = token_hash(&token);
    let expires_at = ends_at(app, session, now);
    refresh_tokens::insert(tx, &hash, &session.sid, now, expires_at).await?;
    Ok(token)
}
