/*
 * The libFuzzer driver: the target's name is what follows the last '@' of argv[0], or
 * WEIR_FUZZ_TARGET; "list" prints all names.
 */
#include <string.h>

#include "fuzz.h"

#define GROUP(name) extern const struct fuzz_group name##_group;
#include "fuzz_groups.def"
#undef GROUP

static const struct fuzz_group *const groups[] = {
#define GROUP(name) &name##_group,
#include "fuzz_groups.def"
#undef GROUP
};
#define GROUPS        (sizeof groups / sizeof *groups)
#define NAME_MAX_SIZE 64

/* The chosen target; libFuzzer's entry points have no other way to share it. */
static const struct fuzz_group *target_group;
static unsigned target_index;

char *fuzz_text(const uint8_t *data, size_t size)
{
    if (memchr(data, 0, size) != NULL)
        return NULL;
    char *text = malloc(size + 1);
    FUZZ_CHECK(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

static bool choose(const char *wanted)
{
    char name[NAME_MAX_SIZE];
    for (size_t g = 0; g < GROUPS; g++)
        for (unsigned i = 0; groups[g]->name(i, name, sizeof name); i++) {
            if (strcmp(wanted, "list") == 0)
                puts(name);
            if (strcmp(wanted, name) != 0)
                continue;
            target_group = groups[g];
            target_index = i;
            return true;
        }
    return false;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    const char *at = strrchr((*argv)[0], '@'),
               *wanted = at != NULL ? at + 1 : getenv("WEIR_FUZZ_TARGET");
    if (wanted == NULL || !choose(wanted)) {
        if (wanted == NULL || strcmp(wanted, "list") != 0)
            fprintf(stderr, "fuzz: no target '%s'; WEIR_FUZZ_TARGET=list prints all\n",
                    wanted ? wanted : "");
        exit(wanted != NULL && strcmp(wanted, "list") == 0 ? 0 : 2);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    target_group->run(target_index, data, size);
    return 0;
}
