/* Which language a filter for packets is written in, spec/tools.md section 7. */
#include <strings.h>

#include "lang/lang.h"

int filter_language_parse(const char *word, enum filter_language *language, struct err *e)
{
    static const char *const names[] = { [FILTER_LANGUAGE_ANY] = "any",
                                         [FILTER_LANGUAGE_BPF] = "bpf",
                                         [FILTER_LANGUAGE_FLOW] = "flow" };
    *language = FILTER_LANGUAGE_ANY;
    for (size_t i = 0; word != NULL && i < sizeof names / sizeof *names; i++)
        if (strcasecmp(word, names[i]) == 0) {
            *language = (enum filter_language)i;
            return 0;
        }
    return word == NULL
               ? 0
               : err_set(e, WEIR_EUSAGE, "no filter language '%s'; write bpf, flow or any", word);
}

int lang_filter_parse_any(const char *text, enum filter_language language, struct bpf **bpf,
                          struct filter **filter, struct err *e)
{
    struct err as_bpf, as_flow;
    *bpf = NULL;
    *filter = NULL;
    if (language == FILTER_LANGUAGE_BPF)
        return bpf_new(text, bpf, e);
    if (language == FILTER_LANGUAGE_FLOW)
        return filter_parse(text, filter, e);
    if (bpf_new(text, bpf, &as_bpf) == 0 || filter_parse(text, filter, &as_flow) == 0)
        return 0;
    return err_set(e, as_flow.code, "%.480s (as a flow filter); %.480s", as_flow.text, as_bpf.text);
}
