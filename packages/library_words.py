"""Words of Django and allauth that the shop says in its own way; locale/ says how.

Nobody imports them: they stand here so that the catalogue of the shop has them, and its words come
before those of the libraries.
"""

from django.utils.translation import gettext_noop as noop

# In German Django says „Sichern“ where all our own buttons say „Speichern“.
SAVING = (
    noop("Save"),
    noop("Save as new"),
    noop("Save and add another"),
    noop("Save and continue editing"),
    noop("Save and view"),
)
# allauth says "du" to whom we say "Sie".
SIGNING_IN = (
    noop("You cannot remove your primary email address."),
    noop("You cannot remove your primary email address (%(email)s)."),
    noop("Please type your current password."),
    noop("You cannot add more than %d email addresses."),
    noop("Too many failed login attempts. Try again later."),
    noop("Your primary email address must be verified."),
    noop("Please select only one."),
    noop("Username can not be used. Please use other username."),
    noop("The new value must be different from the current one."),
    noop("Be patient, you are sending too many requests."),
    noop("You must type the same password each time."),
    noop("You must type the same email each time."),
    noop("Your email address is still pending verification."),
    noop("You are about to generate a new set of recovery codes for your account."),
    noop("You are about to deactivate authenticator app based authentication. Are you sure?"),
)
# allauth writes them in another way than our own pages.
CODES = (
    noop("Recovery Codes"),
    noop("Generate"),
    noop("Authenticator code"),
    noop("Use authenticator app or code"),
    noop("Use your password"),
)
# Of Django's own, what a German would not say.
FIELDS = (noop("This field is required."), noop("Enter a valid email address."))
DELETION = (
    noop("Delete multiple objects"),
    noop("Objects"),
    noop("Summary"),
)
HISTORY = (noop("Change history: %s"),)
PASSWORDS = (
    noop("Your password can’t be too similar to your other personal information."),
    noop("The password is too similar to the %(verbose_name)s."),
    noop("Your password can’t be a commonly used password."),
    noop("This password is too common."),
)
# Of staff's users and their passwords Django says this in English to a German.
USERS = (
    noop("Enter the same password as before, for verification."),
    noop(
        "Please enter your old password, for security’s sake, and then enter your new password "
        "twice so we can verify you typed it in correctly."
    ),
    noop("After you’ve created a user, you’ll be able to edit more user options."),
    noop("This action will <strong>enable</strong> password-based authentication for this user."),
    noop("Disable password-based authentication"),
    noop("Enable password-based authentication"),
    noop("Enable password-based authentication for this user by setting a password."),
    noop("In case you’ve forgotten, you are:"),
    noop("Conflicting form data submitted. Please try again."),
    noop("Password-based authentication was disabled."),
    noop("Password-based authentication"),
    noop("Set password: %s"),
    noop("Reset password"),
    noop("Enabled"),
    noop("Disabled"),
    noop("Raw passwords are not stored, so there is no way to see the user’s password."),
    noop(
        "Whether the user will be able to authenticate using a password or not. If disabled, they "
        "may still be able to authenticate using other backends, such as Single Sign-On or LDAP."
    ),
    noop("%(model)s instance with %(field)s %(value)r is not a valid choice."),
)
