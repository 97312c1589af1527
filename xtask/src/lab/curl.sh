# The exercise of docs/lab/README.md with curl. `step_N` is the block that stands there under step N; a person would copy
# what is between them by hand. Run by `cargo xtask lab`, with the address of the server.
set -eu

curl() {
    command curl --silent --show-error --noproxy '*' "$@"
}

# A member of a JSON object whose value is a text.
member() {
    sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}

# A hidden field of the form on a page.
field() {
    tr '<' '\n' | sed -n "s/.*name=\"$1\" value=\"\([^\"]*\)\".*/\1/p"
}

# Both tokens of an answer.
keep() {
    ACCESS=$(echo "$1" | member access_token) REFRESH=$(echo "$1" | member refresh_token)
}

# What a step shows: its answer holds a text.
shows() {
    case $2 in
    *"$3"*) echo "ok: $1" ;;
    *) echo "not as it should be: $1" >&2 && exit 1 ;;
    esac
}

step_0
BASE=$1
shows "1 the server describes itself" "$(step_1)" "\"issuer\":\"$BASE\""

# The step shows an address to be opened in a browser.
echo() {
    URL=$1
}
step_2
unset -f echo
page=$(curl "$URL")
shows "2 the page says what is asked for" "$page" "user:inference"
sent=$(curl --output /dev/null --write-out '%{redirect_url}' "$BASE/oauth/authorize/decision" -d decision=allow \
    --data-urlencode "request_id=$(echo "$page" | field request_id)" \
    --data-urlencode "csrf_token=$(echo "$page" | field csrf_token)")
shows "3 the browser is sent back with our state" "$sent" "state=lab"
shows "3 and with the issuer" "$sent" "iss="
CODE=$(echo "$sent" | sed 's/.*[?&]code=\([^&]*\).*/\1/')

answer=$(step_4)
shows "4 tokens are given" "$answer" '"token_type":"Bearer"'
keep "$answer"
shows "5 the model answers" "$(step_5)" "HTTP/1.1 200 "

before="$ACCESS $REFRESH"
answer=$(step_6)
shows "6 tokens are given" "$answer" '"refresh_token":"'
keep "$answer"
case "$before" in
*"$ACCESS"* | *"$REFRESH"*) echo "not as it should be: 6 both tokens are new" >&2 && exit 1 ;;
esac

answer=$(step_5)
calls=1
while [ "$calls" -lt 40 ] && [ "${answer#*HTTP/1.1 200 }" != "$answer" ]; do
    answer=$(step_5)
    calls=$((calls + 1))
done
shows "7 the service has enough after $calls calls" "$answer" "HTTP/1.1 429 "
shows "7 and says how long to wait" "$answer" "retry-after: "
shows "7 and what the limit is" "$answer" "anthropic-ratelimit-requests-limit: "

answer=$(step_8)
shows "8 tokens are given for less" "$answer" '"scope":"user:profile"'
keep "$answer"
answer=$(step_5)
shows "9 the service refuses" "$answer" "HTTP/1.1 403 "
shows "9 and names the scope that is missing" "$answer" 'insufficient_scope", scope="user:inference"'

shows "10 the code counts no more" "$(step_4)" '"error":"invalid_grant"'
shows "11 nor does the token" "$(step_5)" "HTTP/1.1 401 "
