process AUTODIP_DENOISE {
    tag "${meta.id}"
    label 'process_medium'

    // An environment or a container in which `pip install 'autodip[formats]'` has been run.
    conda "${moduleDir}/environment.yml"

    input:
    tuple val(meta), path(image)

    output:
    tuple val(meta), path("denoised/*"), emit: image
    tuple val(meta), path("denoised/*.autodip.json"), emit: sidecar
    path "versions.yml", emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def microscope = meta.microscope ? "--microscope '${meta.microscope}'" : ''
    def specimen = meta.specimen ? "--specimen '${meta.specimen}'" : ''
    """
    export OMP_NUM_THREADS=${task.cpus}
    autodip denoise '${image}' -o denoised/ --quiet ${microscope} ${specimen} ${args}

    {
        echo '"${task.process}":'
        autodip --version | sed 's/ /: /; s/^/    /'
    } > versions.yml
    """

    stub:
    """
    mkdir denoised
    touch 'denoised/${image}' 'denoised/${image}.autodip.json'
    touch versions.yml
    """
}
