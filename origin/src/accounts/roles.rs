//! Giving and taking roles. A role that was given is in the next token; one that was taken is in no
//! token at all: those of before are cut off, and the sessions go on with what is left.

use shared::{Scope, UnixSeconds};

use super::Deed;
use crate::app::App;
use crate::error::ApiError;
use crate::revocation::{Order, Receipt, Revoking, check_reason, cut_off_tokens};
use crate::store::audit::Event;
use crate::store::users::{self, User};
use crate::store::{self, Transaction};

const MAX_ROLES: usize = 32;
const MAX_ROLE_BYTES: usize = 64;

#[derive(Debug, Clone, Copy)]
pub struct RolesChange<'a> {
    pub add: &'a [String],
    pub remove: &'a [String],
}

#[derive(Debug)]
pub struct RolesChanged {
    /// As it is now.
    pub user: User,
    /// Of the tokens that still had a role which was taken.
    pub revocation: Option<Receipt>,
}

/// Adds first, and then removes; what is as it should be already is no error. The user's own row is
/// locked, so of two changes at once none is lost.
///
/// Errors: `NotFound` (there is no such user), `InvalidReason`, `InvalidRole` (also for more than 32).
pub async fn change_roles(
    app: &App,
    user_id: &str,
    change: RolesChange<'_>,
    deed: &Deed<'_>,
) -> Result<RolesChanged, ApiError> {
    check_reason(deed.reason)?;
    let mut tx = store::begin(&app.pool).await?;
    let mut user = users::lock_by_id(&mut tx, user_id, app.clock.now())
        .await?
        .ok_or(ApiError::NotFound)?;
    let before = std::mem::take(&mut user.roles);
    user.roles = after(&before, change)?;
    users::set_roles(&mut tx, user_id, &user.roles).await?;
    let detail = format!("{} (now: {})", deed.reason, user.roles.join(" "));
    deed.note(app, &mut tx, user_id, Event::RolesChanged, &detail)
        .await?;
    let revocation = if before.iter().all(|role| user.roles.contains(role)) {
        store::commit(tx).await?;
        None
    } else {
        Some(cut_off(app, tx, user_id, deed).await?)
    };
    Ok(RolesChanged { user, revocation })
}

fn after(before: &[String], change: RolesChange<'_>) -> Result<Vec<String>, ApiError> {
    let mut roles: Vec<String> = before.to_vec();
    roles.extend(change.add.iter().cloned());
    roles.retain(|role| !change.remove.contains(role));
    roles.sort_unstable();
    roles.dedup();
    check_roles(&roles)?;
    Ok(roles)
}

/// Lower-case words: they travel in tokens, and a space lies between two of them.
pub(super) fn check_roles(roles: &[String]) -> Result<(), ApiError> {
    let known =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_:.".contains(&byte);
    let is_role =
        |role: &String| (1..=MAX_ROLE_BYTES).contains(&role.len()) && role.bytes().all(known);
    if roles.len() <= MAX_ROLES && roles.iter().all(is_role) {
        Ok(())
    } else {
        Err(ApiError::InvalidRole)
    }
}

/// A refresh that is under way holds its session's row: it is waited for, and its token is older.
async fn cut_off(
    app: &App,
    tx: Transaction,
    user_id: &str,
    deed: &Deed<'_>,
) -> Result<Receipt, ApiError> {
    let mut revoking = Revoking::begin_in(tx, app, Scope::User, user_id).await?;
    let cut_off_secs = cut_off_tokens(app, &mut revoking.tx, user_id).await?;
    let order = Order {
        before_secs: Some(cut_off_secs),
        latest_exp: UnixSeconds::from_secs(cut_off_secs).plus_secs(app.issuer.lifetime_secs()),
        reason: deed.reason,
        actor: deed.actor,
        event: Event::Revoked,
        address: deed.address,
        token: None,
    };
    revoking.record(app, &order).await
}
